import { describe, expect, it } from 'vitest';
import { lintPolicies, type Policy } from '../../../../../src/domain/policy/index.ts';
import { mesh, policy, workload } from '../mesh.ts';

const registry = mesh([
  workload('shop/web', { labels: { app: 'web', tier: 'front' } }),
  workload('away/web'),
]);

function covered(...policies: readonly Policy[]): readonly string[] {
  return lintPolicies(policies, registry)
    .filter(({ rule }) => rule === 'covered-rule')
    .map(
      ({ object, path, message }) => `${object.name} ${path} by ${message.split(/ (?:together )?match/)[0]}`,
    );
}

const id = (account: string) => `example.org/ns/shop/sa/${account}`;
const source = (given: object) => ({ from: [{ source: given }] });
const operation = (given: object) => ({ to: [{ operation: given }] });
const condition = (key: string, values: readonly string[], notValues: readonly string[] = []) => ({
  when: [{ key, ...(values.length > 0 ? { values } : {}), ...(notValues.length > 0 ? { notValues } : {}) }],
});

describe('a rule covers another', () => {
  it.each<[string, object, object]>([
    ['{} and all', {}, source({ principals: [id('a')] })],
    ['more values', source({ principals: [id('a'), id('b')] }), source({ principals: [id('a')] })],
    ['a prefix', source({ principals: [id('a*')] }), source({ principals: [id('ab'), id('abc*')] })],
    ['a suffix', source({ principals: ['*a'] }), source({ principals: [id('ba'), '*ca'] })],
    ['presence', source({ principals: ['*'] }), source({ principals: [id('a'), '*b', id('c*')] })],
    [
      'fewer fields',
      source({ principals: [id('a')] }),
      source({ principals: [id('a')], ipBlocks: ['10.0.0.1'] }),
    ],
    [
      'fewer parts',
      source({ principals: [id('a')] }),
      { ...source({ principals: [id('a')] }), ...operation({ methods: ['GET'] }) },
    ],
    [
      'fewer exclusions',
      source({ principals: ['*'], notPrincipals: [id('a')] }),
      source({ principals: ['*'], notPrincipals: [id('a*')] }),
    ],
    [
      'more sources',
      { from: [{ source: { principals: [id('a')] } }, { source: { namespaces: ['n'] } }] },
      source({ namespaces: ['n'] }),
    ],
    [
      'a wider block',
      source({ ipBlocks: ['10.0.0.0/8'] }),
      source({ ipBlocks: ['10.1.0.0/16', '10.2.3.4'] }),
    ],
    [
      'a wider block of IPv6',
      source({ ipBlocks: ['2001:db8::/32'] }),
      source({ ipBlocks: ['2001:db8:1::/48'] }),
    ],
    ['hosts in another case', operation({ hosts: ['A.example'] }), operation({ hosts: ['a.EXAMPLE'] })],
    ['a path before a template', operation({ paths: ['/a/*'] }), operation({ paths: ['/a/{*}/b'] })],
    ['a condition', condition('source.ip', ['10.0.0.0/8']), condition('source.ip', ['10.0.0.1'])],
    [
      'fewer conditions',
      condition('source.ip', ['10.0.0.0/8']),
      { when: [...condition('source.ip', ['10.0.0.1']).when, ...condition('remote.ip', ['::1']).when] },
    ],
    ['the same', source({ principals: [id('a')] }), source({ principals: [id('a')] })],
    ['a path within a template', operation({ paths: ['/a/{*}'] }), operation({ paths: ['/a/b'] })],
    [
      'a namespace by its principals',
      source({ namespaces: ['shop'] }),
      source({ principals: [id('a'), id('b')] }),
    ],
    [
      'what is excluded by a narrower list',
      source({ ipBlocks: ['10.0.0.0/9'] }),
      source({ ipBlocks: ['10.0.0.0/8'], notIpBlocks: ['10.128.0.0/9'] }),
    ],
  ])('%s', (_, wide, narrow) => {
    expect(covered(policy('shop/p', { action: 'DENY', rules: [wide, narrow] }))).toEqual([
      'p spec.rules[1] by rule 0',
    ]);
  });

  it.each<[string, object, object]>([
    ['other values', source({ principals: [id('a'), id('b')] }), source({ principals: [id('a'), id('c')] })],
    ['a prefix and a suffix', source({ principals: [id('a*')] }), source({ principals: ['*a'] })],
    ['a list and its absence', source({ principals: ['*'] }), source({ ipBlocks: ['10.0.0.1'] })],
    [
      'other exclusions',
      source({ principals: ['*'], notPrincipals: [id('a')] }),
      source({ principals: ['*'], notPrincipals: [id('b')] }),
    ],
    ['other versions of IP', source({ ipBlocks: ['0.0.0.0/0'] }), source({ ipBlocks: ['::1'] })],
    ['overlapping blocks', source({ ipBlocks: ['10.0.0.0/9'] }), source({ ipBlocks: ['10.128.0.0/9'] })],
    ['paths in another case', operation({ paths: ['/A'] }), operation({ paths: ['/a'] })],
    ['a path into a template', operation({ paths: ['/a/b*'] }), operation({ paths: ['/a/{*}'] })],
    ['other conditions', condition('source.ip', ['10.0.0.1']), condition('remote.ip', ['10.0.0.1'])],
    [
      'parts that cross',
      { ...source({ principals: [id('a')] }), ...operation({ methods: ['*'] }) },
      { ...source({ principals: ['*'] }), ...operation({ methods: ['GET'] }) },
    ],
  ])('not with %s', (_, a, b) => {
    expect(covered(policy('shop/p', { action: 'DENY', rules: [a, b] }))).toEqual([]);
  });
});

it('the wider of two blocks at one address covers, wherever it stands', () => {
  const rules = [source({ ipBlocks: ['10.0.0.0/16'] }), source({ ipBlocks: ['10.0.0.0/8'] })];
  expect(covered(policy('shop/p', { action: 'DENY', rules }))).toEqual(['p spec.rules[0] by rule 1']);
});

describe('a rule covers another policy’s', () => {
  const wide = source({ principals: ['*'] });
  const narrow = source({ principals: [id('a')] });
  const deny = (name: string, part: object, matchLabels?: object) =>
    policy(name, { action: 'DENY', rules: [part], ...(matchLabels ? { selector: { matchLabels } } : {}) });

  it.each<[string, Policy, Policy, boolean]>([
    ['in its namespace', deny('shop/w', wide), deny('shop/n', narrow, { app: 'web' }), true],
    ['from the root namespace', deny('root/w', wide), deny('shop/n', narrow), true],
    [
      'with fewer labels',
      deny('shop/w', wide, { app: 'web' }),
      deny('shop/n', narrow, { app: 'web', tier: 'front' }),
      true,
    ],
    [
      'not with more labels',
      deny('shop/w', wide, { app: 'web', tier: 'front' }),
      deny('shop/n', narrow, { app: 'web' }),
      false,
    ],
    ['not elsewhere', deny('away/w', wide), deny('shop/n', narrow), false],
    ['not into the root namespace', deny('shop/w', wide), deny('root/n', narrow), false],
    [
      'not of another action',
      policy('shop/w', { action: 'AUDIT', rules: [wide] }),
      deny('shop/n', narrow),
      false,
    ],
    [
      'not a dry run',
      policy('shop/w', { action: 'DENY', rules: [wide] }, { annotations: { 'istio.io/dry-run': 'true' } }),
      deny('shop/n', narrow),
      false,
    ],
    [
      'not a service account of another namespace',
      deny('root/w', source({ serviceAccounts: ['a'] })),
      deny('shop/n', source({ serviceAccounts: ['a'] })),
      false,
    ],
    [
      'a service account that is named whole',
      deny('root/w', source({ serviceAccounts: ['x/a'] })),
      deny('shop/n', source({ serviceAccounts: ['x/a'] })),
      true,
    ],
  ])('%s', (_, a, b, expected) => {
    const found = expected ? [`n spec.rules[0] by rule 0 of AuthorizationPolicy/${a.meta.namespace}/w`] : [];
    expect(covered(a, b)).toEqual(found);
    expect(covered(b, a)).toEqual(found);
  });

  it('of two that say the same, the later one is left over', () => {
    expect(covered(deny('shop/a', wide), deny('shop/b', wide))).toEqual([
      'b spec.rules[0] by rule 0 of AuthorizationPolicy/shop/a',
    ]);
  });
});

it('several others together, each by its number', () => {
  const rules = [
    source({ ipBlocks: ['10.0.0.0/9'] }),
    source({ principals: [id('a')] }),
    source({ ipBlocks: ['10.128.0.0/9'] }),
    source({ ipBlocks: ['10.0.0.0/8'] }),
  ];
  expect(covered(policy('shop/p', { action: 'DENY', rules }))).toEqual([
    'p spec.rules[3] by rule 0 and rule 2',
  ]);
});

describe('policies without measure', () => {
  const named = (n: number, values: number) =>
    source({ principals: Array.from({ length: values }, (_, v) => `example.org/ns/a/sa/b${n}-${v}`) });
  const rulesIn = (policies: readonly Policy[], comparisons?: number) => [
    ...new Set(
      lintPolicies(policies, registry, undefined, { ...(comparisons && { comparisons }) }).map(
        ({ rule }) => rule,
      ),
    ),
  ];
  const one = policy('shop/p', { action: 'DENY', rules: [named(0, 1)] });
  const alike = Array.from(
    { length: 10_000 },
    (_, n): Policy => ({ ...structuredClone(one), meta: { ...one.meta, name: `p${n}` } }),
  );
  const large = policy('shop/p', {
    action: 'DENY',
    rules: Array.from({ length: 100 }, (_, n) => named(n, 300)),
  });

  it.each<[string, readonly Policy[], readonly string[]]>([
    ['ten thousand that say the same', alike, ['covered-rule']],
    ['one with thirty thousand values', [large], []],
    [
      'a thousand in a hundred namespaces',
      Array.from({ length: 1000 }, (_, n) =>
        policy(`ns${n % 100}/p${n}`, { action: 'DENY', rules: [named(n, 3)] }),
      ),
      ['namespace-without-workloads'],
    ],
  ])('%s are all looked through', (_, policies, expected) => {
    expect(rulesIn(policies)).toEqual(expected);
  });

  it.each<[string, readonly Policy[], readonly string[]]>([
    ['some are', alike, ['covered-rule', 'effects-not-compared']],
    ['none is', [large], ['effects-not-compared']],
  ])('what goes beyond a budget is told, and what was proven before: %s', (_, policies, expected) => {
    expect(rulesIn(policies, 20_000)).toEqual(expected);
  });
});
