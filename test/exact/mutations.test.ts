import { expect, test } from 'vitest';
import type { AuthorizationPolicy, Policy } from '../../src/domain/policy/index.ts';
import { Random } from '../oracle/generate/index.ts';
import { peer, policy } from '../unit/domain/policy/mesh.ts';
import { checkPair, everyRequest } from './check.ts';
import { isWritable } from './small.ts';
import { told } from './told.ts';
import { believing, smallWorld } from './worlds.ts';

/** As a shop could have them: a door closed, opened for some, a part denied, a token asked for, somebody else asked. */
const shop: readonly Policy[] = [
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

interface Mutant {
  readonly name: string;
  readonly policies: readonly Policy[];
}

/** Each with one thing less, or turned round: policies, rules, alternatives, lists, values, actions, ends of values. */
function mutantsOf(policies: readonly Policy[]): readonly Mutant[] {
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

/**
 * What may be left out, or be written otherwise: another ALLOW holds wherever the one without rules does. On port 9000, which
 * is not HTTP, the DENY loses its path and takes all but one caller, who is of another namespace than that rule asks for.
 */
const equivalent: readonly string[] = [
  'AuthorizationPolicy shop/nobody removed',
  'AuthorizationPolicy shop/nobody: a dry run',
  'AuthorizationPolicy shop/web-reads: rule 1 removed',
  'AuthorizationPolicy shop/web-reads: rule 1.from[0].notPrincipals[0] removed',
  'AuthorizationPolicy shop/web-reads: rule 1.from[0].notPrincipals[0] as */sa/guest*',
  'AuthorizationPolicy shop/web-reads: rule 1.from[0].namespaces[0] as bank*',
  'AuthorizationPolicy shop/web-reads: rule 1.to[0].ports[0] as 909',
];

test('each mutant of a shop’s policies that decides otherwise yields a witness, and no other does', () => {
  const before = smallWorld(shop);
  const mutants = mutantsOf(shop);
  const same: string[] = [];
  for (const { name, policies } of mutants) {
    const after = smallWorld(policies);
    const by = (most: number) => checkPair(before, after, everyRequest(new Random(5), most, before));
    const few = by(60);
    // That it is a change the witness has shown, once it is decided; that it is none, only many requests can deny.
    const { comparison, faults } = few.comparison.outcome === 'same' ? by(3000) : few;
    expect({ name, faults, told: faults.length > 0 ? told(after) : '' }).toEqual({
      name,
      faults: [],
      told: '',
    });
    expect({ name, isUndecided: comparison.outcome === 'undecided' }).toEqual({ name, isUndecided: false });
    if (comparison.outcome === 'same') same.push(name);
  }
  expect(mutants.length).toBeGreaterThan(60);
  expect(same).toEqual(equivalent);
});
