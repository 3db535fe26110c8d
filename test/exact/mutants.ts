import type { AuthorizationPolicy, Policy } from '../../src/domain/policy/index.ts';
import { peer, policy } from '../unit/domain/policy/mesh.ts';
import { isWritable } from './small.ts';
import { believing } from './worlds.ts';

/** As a shop could have them: a door closed, opened for some, a part denied, a token asked for, somebody else asked. */
export const shop: readonly Policy[] = [
  policy('shop/nobody', {}),
  policy('shop/web-reads', {
    selector: { matchLabels: { app: 'orders' } },
    rules: [
      {
        from: [
          { source: { principals: ['mesh.test/ns/shop/sa/web'] } },
          { source: { serviceAccounts: ['bank/audit'] } },
        ],
        to: [{ operation: { methods: ['GET', 'HEAD'], paths: ['/orders/{*}', '/healthz'] } }],
      },
      {
        from: [{ source: { namespaces: ['bank'], notPrincipals: ['*/sa/guest'] } }],
        to: [{ operation: { ports: ['9000'] } }],
      },
    ],
  }),
  policy('shop/admin-is-for-cron', {
    action: 'DENY',
    rules: [
      {
        from: [{ source: { notPrincipals: ['mesh.test/ns/shop/sa/cron'] } }],
        to: [{ operation: { paths: ['/orders/admin'] } }],
      },
      { from: [{ source: { ipBlocks: ['10.66.0.0/16'] } }] },
    ],
  }),
  policy('shop/tokens', {
    selector: { matchLabels: { app: 'cart' } },
    rules: [
      {
        from: [{ source: { requestPrincipals: ['https://idp.test/*'] } }],
        when: [{ key: 'request.auth.claims[groups]', values: ['buyer', 'staff*'] }],
      },
      { when: [{ key: 'request.headers[x-key]', values: ['*'], notValues: ['revoked'] }] },
    ],
  }),
  policy('bank/asked', {
    action: 'CUSTOM',
    provider: { name: 'one' },
    rules: [{ to: [{ operation: { hosts: ['ledger.bank', '*.ledger.bank'] } }] }],
  }),
  believing('shop'),
  peer('bank/strict', 'STRICT'),
];

export interface Mutant {
  readonly name: string;
  readonly policies: readonly Policy[];
}

/** Each with one thing less, or turned round: policies, rules, alternatives, lists, values, actions, ends of values. */
export function mutantsOf(policies: readonly Policy[]): readonly Mutant[] {
  return policies.flatMap((one, at) => {
    if (one.kind === 'RequestAuthentication') return [];
    const name = `${one.kind} ${one.meta.namespace}/${one.meta.name}`;
    const without = { name: `${name} removed`, policies: policies.toSpliced(at, 1) };
    if (one.kind !== 'AuthorizationPolicy') return [without];
    return [
      without,
      ...changesOf(one)
        .filter(({ changed }) => isWritable(changed))
        .map(({ what, changed }) => ({ name: `${name}: ${what}`, policies: policies.with(at, changed) })),
    ];
  });
}

interface Change {
  readonly what: string;
  readonly changed: AuthorizationPolicy;
}

function changesOf(one: AuthorizationPolicy): readonly Change[] {
  const ofRules = one.rules.flatMap((rule, at) => [
    { what: `rule ${at} removed`, changed: { ...one, rules: one.rules.toSpliced(at, 1) } },
    ...variantsOf(rule, `rule ${at}`).map(({ what, value }) => ({
      what,
      // What is changed is a list of the rule, by another of its kind.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      changed: { ...one, rules: one.rules.with(at, value as AuthorizationPolicy['rules'][number]) },
    })),
  ]);
  return [
    ...ofRules,
    ...(one.action === 'CUSTOM' ? [{ what: 'another provider', changed: { ...one, provider: 'two' } }] : []),
    {
      what: 'the other action',
      changed: { ...one, provider: undefined, action: one.action === 'DENY' ? 'ALLOW' : 'DENY' },
    },
    { what: 'a dry run', changed: { ...one, dryRun: true } },
    ...(one.selector ? [{ what: 'without its selector', changed: { ...one, selector: undefined } }] : []),
  ];
}

interface Variant {
  readonly what: string;
  readonly value: unknown;
}

/** All that one step makes of what is in a rule, however deep. */
function variantsOf(value: unknown, at: string): readonly Variant[] {
  if (typeof value === 'string')
    return [value.replace(/\*$/, ''), `${value}*`, value.replace(/\d\d?$/, '9')]
      .filter((each) => each !== value && each !== '')
      .map((each) => ({ what: `${at} as ${each}`, value: each }));
  if (Array.isArray(value)) {
    const list: readonly unknown[] = value;
    return list.flatMap((item, index) => [
      { what: `${at}[${index}] removed`, value: list.toSpliced(index, 1) },
      ...variantsOf(item, `${at}[${index}]`).map((each) => ({
        ...each,
        value: list.with(index, each.value),
      })),
    ]);
  }
  return Object.entries(value ?? {}).flatMap(([name, own]) =>
    name === 'key'
      ? []
      : variantsOf(own, `${at}.${name}`).map((each) => ({
          ...each,
          value: { ...Object(value), [name]: each.value },
        })),
  );
}
