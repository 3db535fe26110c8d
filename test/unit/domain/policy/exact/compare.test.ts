import { describe, expect, test } from 'vitest';
import { compareWorlds, type Policy, type PolicyRequest } from '../../../../../src/domain/policy/index.ts';
import { request } from '../decide/policies.ts';
import { believing, peer, policy } from '../mesh.ts';
import { isInRegion } from './membership.ts';
import {
  allow,
  authorization,
  compareHttp,
  deny,
  from,
  type Given,
  to,
  unless,
  when,
  worldOf,
} from './worlds.ts';

const [web, cron] = ['example.org/ns/shop/sa/web', 'example.org/ns/shop/sa/cron'];
const get = { methods: ['GET'] };
const dryRun = (name: string, spec: object) =>
  policy(name, spec, { annotations: { 'istio.io/dry-run': 'true' } });

/** Written in different ways, and deciding alike. */
const same: readonly (readonly [
  name: string,
  before: readonly Policy[],
  after: readonly Policy[],
  given?: Given,
])[] = [
  [
    'rules in another order',
    [allow(to(get), from({ principals: [web] }))],
    [allow(from({ principals: [web] }), to(get))],
  ],
  [
    'one list split into two rules',
    [allow(to({ paths: ['/a', '/b*'] }))],
    [allow(to({ paths: ['/a'] }), to({ paths: ['/b*'] }))],
  ],
  [
    'one policy split into two',
    [allow(to({ paths: ['/a'] }), to(get))],
    [
      authorization('ALLOW', [to({ paths: ['/a'] })], { name: 'x' }),
      authorization('ALLOW', [to(get)], { name: 'y' }),
    ],
  ],
  [
    'an exact value that a prefix has',
    [allow(to({ paths: ['/a*'] }))],
    [allow(to({ paths: ['/a*', '/ab', '/a/b'] }))],
  ],
  [
    'a rule that another one covers',
    [allow(to(get))],
    [allow(to(get), { ...to(get), ...from({ principals: [web] }) })],
  ],
  [
    'a path that none can have',
    [allow(to({ paths: ['/a'] }))],
    [allow(to({ paths: ['/a', '/b/../c', '//b', '/%61', 'b'] }))],
  ],
  [
    'presence of a path, which is always there',
    [allow(to({ methods: ['GET'], paths: ['*'] }))],
    [allow(to({ methods: ['GET'], paths: ['/*'] }))],
  ],
  [
    'a service account and its principal, in a mesh of one name',
    [allow(from({ serviceAccounts: ['web'], trustDomains: ['example.org'] }))],
    [allow(from({ principals: ['example.org/ns/shop/sa/web'] }))],
  ],
  [
    'all service accounts under a prefix and the namespace',
    [allow(from({ principals: ['example.org/ns/shop/sa/*'], namespaces: ['*'] }))],
    [allow(from({ namespaces: ['shop'], trustDomains: ['example.org'] }))],
  ],
  [
    'a trust domain alone, which no certificate names',
    [allow(from({ principals: [web] }))],
    [allow(from({ principals: [web, 'example.org', 'partner.example'] }))],
  ],
  [
    'a denial of everybody but trust domains alone',
    [deny({})],
    [deny(from({ notPrincipals: ['*'] }), from({ notPrincipals: ['example.org'] }))],
  ],
  [
    'a name of the mesh for another',
    [allow(from({ principals: ['old.example/ns/shop/sa/web'] }))],
    [allow(from({ principals: ['cluster.local/ns/shop/sa/web'] }))],
    { aliases: ['old.example'] },
  ],
  [
    'halves of a block',
    [allow(from({ ipBlocks: ['10.0.0.0/8'] }))],
    [allow(from({ ipBlocks: ['10.0.0.0/9', '10.128.0.0/9'] }))],
  ],
  [
    'halves of a block of IPv6',
    [allow(from({ ipBlocks: ['2001:db8::/32'] }))],
    [allow(from({ ipBlocks: ['2001:db8::/33', '2001:db8:8000::/33'] }))],
  ],
  [
    'a block and its condition',
    [allow(from({ ipBlocks: ['10.0.0.0/8'] }))],
    [allow(when('source.ip', '10.0.0.0/8'))],
  ],
  ['hosts in capitals', [allow(to({ hosts: ['Cart.Shop'] }))], [allow(to({ hosts: ['cart.shop'] }))]],
  [
    'server names in capitals',
    [allow(when('connection.sni', 'Cart.Shop'))],
    [allow(when('connection.sni', 'cart.shop'))],
  ],
  ['a template and its one segment', [allow(to({ paths: ['/a/{**}'] }))], [allow(to({ paths: ['/a/*'] }))]],
  ['a denial of what nobody is allowed', [allow(to(get))], [allow(to(get)), deny(to({ methods: ['PUT'] }))]],
  [
    'not written as its own exception',
    [allow(to({ methods: ['GET', 'PUT'], notMethods: ['PUT'] }))],
    [allow(to(get))],
  ],
  [
    'a denial of all but some, and an allowance of those',
    [deny(from({ notPrincipals: [web] }))],
    [allow(from({ principals: [web] }))],
  ],
  [
    'a claim within one that is a string',
    [allow()],
    [
      allow({
        when: [
          { key: 'request.auth.claims[a]', values: ['x'] },
          { key: 'request.auth.claims[a][b]', values: ['y'] },
        ],
      }),
    ],
  ],
  [
    'a name of a token and its issuer',
    [allow(when('request.auth.principal', 'i/*'))],
    [
      allow({
        when: [
          { key: 'request.auth.principal', values: ['i/*'] },
          { key: 'request.auth.claims[iss]', values: ['i*'] },
        ],
      }),
    ],
  ],
  ['a dry run', [], [dryRun('shop/d', { action: 'DENY', rules: [{}] })]],
  ['an audit of what is not of the first line', [], [authorization('AUDIT', [from({ principals: [web] })])]],
  [
    'an authorizer whom nobody has, and a denial',
    [authorization('CUSTOM', [to({ paths: ['/a'] })], { provider: { name: 'nobody' } })],
    [deny(to({ paths: ['/a'] }))],
  ],
];

/** Where tokens are looked at, so that policies have claims to see. */
function compareBelieving(before: readonly Policy[], after: readonly Policy[], given?: Given) {
  const tokens = believing('shop/tokens');
  return compareHttp([...before, tokens], [...after, tokens], given);
}

describe('nothing changes by', () => {
  for (const [name, before, after, given] of same) {
    test(name, () => {
      expect(compareBelieving(before, after, given)).toMatchObject({ outcome: 'same', complete: true });
      expect(compareBelieving(after, before, given)).toMatchObject({ outcome: 'same', complete: true });
    });
  }
});

type Change = readonly [
  name: string,
  before: readonly Policy[],
  after: readonly Policy[],
  becomes: 'allowed' | 'denied',
  /** What the witness must be. */
  witness: Readonly<Record<string, unknown>>,
  given?: Given,
];

const id = (name: string) => ({ sourcePrincipal: `spiffe://${name}` });
const http = (some: Partial<NonNullable<PolicyRequest['http']>>) => ({ http: some });
const different: readonly Change[] = [
  [
    'another caller',
    [allow(from({ principals: [web] }))],
    [allow(from({ principals: [web, cron] }))],
    'allowed',
    id(cron),
  ],
  [
    'a caller less',
    [allow(from({ principals: [web, cron] }))],
    [allow(from({ principals: [web] }))],
    'denied',
    id(cron),
  ],
  [
    'a namespace',
    [allow(from({ namespaces: ['a'] }))],
    [allow(from({ namespaces: ['a', 'b'] }))],
    'allowed',
    id('example.org/ns/b/sa/default'),
  ],
  ['a service account', [allow()], [allow(from({ serviceAccounts: ['web'] }))], 'allowed', id(web)],
  [
    'a trust domain',
    [allow()],
    [allow(from({ trustDomains: ['old.example'] }))],
    'allowed',
    id('old.example/ns/default/sa/default'),
  ],
  [
    'callers without mutual TLS',
    [deny(from({ notPrincipals: ['*'] }))],
    [],
    'allowed',
    { sourcePrincipal: undefined },
  ],
  [
    'a method',
    [allow(to(get))],
    [allow(to({ methods: ['GET', 'PUT'] }))],
    'allowed',
    http({ method: 'PUT' }),
  ],
  [
    'a path',
    [deny(to({ paths: ['/admin*'] }))],
    [deny(to({ paths: ['/admin'] }))],
    'allowed',
    http({ path: '/admin/example' }),
  ],
  [
    'what a suffix says',
    [deny(to({ paths: ['*.css'] }))],
    [deny(to({ paths: ['/a.css'] }))],
    'allowed',
    http({ path: '/example.css' }),
  ],
  ['a segment more', [deny(to({ paths: ['/a/{**}'] }))], [deny(to({ paths: ['/a/{*}'] }))], 'allowed', {}],
  [
    'what is ambiguous, no longer compared',
    [deny(to({ paths: ['/x'] }))],
    [deny(to({ methods: ['X'] }))],
    'allowed',
    {},
  ],
  [
    'a host',
    [allow(to({ hosts: ['a.example'] }))],
    [allow(to({ hosts: ['a.example', 'b.example'] }))],
    'allowed',
    http({ host: 'b.example' }),
  ],
  [
    'a host with a dot at its end, which goes',
    [allow()],
    [allow(to({ hosts: ['b.example.'] }))],
    'allowed',
    http({ host: 'b.example..' }),
  ],
  [
    'a header',
    [allow()],
    [allow(when('request.headers[x-a]', 'v*'))],
    'allowed',
    http({ headers: { 'x-a': ['v'] } }),
  ],
  [
    'a header at all',
    [deny(when('request.headers[x-a]', '*'))],
    [],
    'allowed',
    http({ headers: { 'x-a': ['example'] } }),
  ],
  [
    'two values of one header',
    [allow()],
    [
      allow({
        when: [
          { key: 'request.headers[x-a]', values: ['a'] },
          { key: 'request.headers[x-a]', values: ['b'] },
        ],
      }),
    ],
    'allowed',
    http({ headers: { 'x-a': ['a', 'b'] } }),
  ],
  [
    'the query',
    [allow()],
    [allow(when('request.headers[:path]', '*?x=1'))],
    'allowed',
    http({ path: '/example?x=1' }),
  ],
  [
    'a block',
    [allow(from({ ipBlocks: ['10.0.0.0/8'] }))],
    [allow(from({ ipBlocks: ['10.0.0.0/9'] }))],
    'denied',
    { sourceIp: '10.128.0.0' },
  ],
  [
    'a client behind others',
    [allow()],
    [allow(from({ remoteIpBlocks: ['192.0.2.0/24'] }))],
    'allowed',
    { remoteIp: '192.0.2.1' },
  ],
  [
    'an address of IPv6',
    [allow()],
    [allow(when('destination.ip', '2001:db8:1::/48'))],
    'allowed',
    { destinationIp: '2001:db8:1::' },
  ],
  ['a server name', [allow()], [allow(when('connection.sni', 'Cart.Shop'))], 'allowed', { sni: 'cart.shop' }],
  ['a port', [allow()], [allow(to({ ports: ['8080'] }))], 'allowed', { destinationPort: 8080 }],
  [
    'the name of a token',
    [allow()],
    [allow(from({ requestPrincipals: ['https://i.example/*'] }))],
    'allowed',
    {},
  ],
  [
    'a claim',
    [allow()],
    [allow(when('request.auth.claims[groups]', 'staff'))],
    'allowed',
    { jwt: { groups: 'staff' } },
  ],
  [
    'a claim within another',
    [allow()],
    [allow(when('request.auth.claims[a][b]', 'x'))],
    'allowed',
    { jwt: { a: { b: 'x' } } },
  ],
  [
    'two values of a claim',
    [allow()],
    [
      allow({
        when: [
          { key: 'request.auth.claims[g]', values: ['a'] },
          { key: 'request.auth.claims[g]', values: ['b'] },
        ],
      }),
    ],
    'allowed',
    { jwt: { g: ['a', 'b'] } },
  ],
  [
    'an audience',
    [allow()],
    [allow(when('request.auth.audiences', 'shop'))],
    'allowed',
    { jwt: { aud: 'shop' } },
  ],
  [
    'a string of metadata',
    [allow()],
    [allow(when('experimental.envoy.filters.a[t]', 'gold'))],
    'allowed',
    { metadata: { 'envoy.filters.a': { t: 'gold' } } },
  ],
  [
    'a list of metadata',
    [allow()],
    [allow(when('experimental.envoy.filters.a[t]', '[gold]'))],
    'allowed',
    { metadata: { 'envoy.filters.a': { t: ['gold'] } } },
  ],
  ['the first ALLOW', [], [allow(from({ principals: [web] }))], 'denied', {}],
  ['a DENY', [allow({})], [allow({}), deny(from({ principals: [web] }))], 'denied', id(web)],
  [
    'an authorizer who may refuse',
    [],
    [authorization('CUSTOM', [to({ paths: ['/a'] })], { provider: { name: 'asker' } })],
    'denied',
    http({ path: '/a' }),
    { providers: ['asker'] },
  ],
  ['mutual TLS that is demanded', [], [peer('shop/p', 'STRICT')], 'denied', { sourcePrincipal: undefined }],
  [
    'mutual TLS that is off',
    [peer('shop/p', 'STRICT')],
    [peer('shop/p', 'DISABLE')],
    'allowed',
    { sourcePrincipal: undefined },
  ],
  [
    'all but some',
    [deny(unless('source.namespace', 'shop'))],
    [deny(unless('source.namespace', 'shop', 'bank'))],
    'allowed',
    id('example.org/ns/bank/sa/default'),
  ],
];

describe('something changes by', () => {
  for (const [name, before, after, becomes, witness, given] of different) {
    test(name, () => {
      const found = compareBelieving(before, after, given);
      expect(found).toMatchObject({ outcome: 'different', complete: true });
      expect(found.differences.map((each) => each.witness.request)).toContainEqual(
        expect.objectContaining(deep(witness)),
      );
      expect(found.differences.map((each) => each.becomes)).toContain(becomes);
      const back = compareBelieving(after, before, given);
      expect(back.differences.map((each) => each.becomes)).toContain(
        becomes === 'allowed' ? 'denied' : 'allowed',
      );
    });
  }
});

function deep(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).map(([name, own]) => [
      name,
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      name === 'http' ? expect.objectContaining(own as object) : own,
    ]),
  );
}

describe('a port that is not read as HTTP', () => {
  test('where an authorizer that speaks HTTP cannot be asked', () => {
    const policies = [authorization('CUSTOM', [{}], { provider: { name: 'asker' } })];
    const world = (kind: 'grpc' | 'http') => {
      const { settings, ...rest } = worldOf(policies);
      return { ...rest, settings: { ...settings, authorizationProviders: [{ name: 'asker', kind }] } };
    };
    const { differences } = compareWorlds(world('grpc'), world('http'));
    expect(differences).toMatchObject([{ protocol: 'tcp', becomes: 'denied', after: { step: 'CUSTOM' } }]);
  });

  const tcp = (before: readonly Policy[], after: readonly Policy[]) =>
    compareWorlds(worldOf(before), worldOf(after)).differences.filter(({ protocol }) => protocol === 'tcp');
  test('an ALLOW loses the rule that asks for HTTP', () => {
    expect(tcp([allow(from({ principals: [web] }))], [allow(from({ principals: [web] }), to(get))])).toEqual(
      [],
    );
  });
  test('a DENY loses the field', () => {
    const [found, ...more] = tcp([], [deny({ ...to({ paths: ['/a'] }), ...from({ principals: [web] }) })]);
    expect(found).toMatchObject({ becomes: 'denied', witness: { request: id(web) } });
    expect(found?.witness.request.http).toBeUndefined();
    expect(more).toEqual([]);
  });
});

test('an escape, where it is the only beginning that no policy names', () => {
  const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_~!$&'()*+,=:@[].".split('');
  const named = ['/', '//', ...plain.map((each) => `/${each}*`)];
  const { differences } = compareHttp(
    [allow(to({ paths: named }))],
    [allow(to({ paths: [...named, '/*'] }))],
  );
  expect(differences).toHaveLength(1);
  expect(differences[0]?.witness.request.http?.path).toMatch(/^\/%/);
});

test('one caller among many rules, of which each leaves another one out', () => {
  const rules = Array.from({ length: 30 }, (_, at) => ({
    ...from({ notNamespaces: [`n${at}`] }),
    ...to({ paths: [`/p${at}`] }),
  }));
  const { differences, complete } = compareHttp(
    [allow(...rules)],
    [allow(...rules, from({ principals: ['example.org/ns/n3/sa/a'] }))],
  );
  const becomes = (path: string) =>
    differences
      .filter(({ region }) =>
        isInRegion(region, request({ path }, { sourcePrincipal: 'spiffe://example.org/ns/n3/sa/a' }), {}),
      )
      .map((each) => each.becomes);
  expect({ complete, left: becomes('/p3'), other: becomes('/p4'), none: becomes('/x') }).toEqual({
    complete: true,
    left: ['allowed'],
    other: [],
    none: ['allowed'],
  });
});

describe('what is told', () => {
  test('a region by the lists that policies write, and what is left out of it', () => {
    const [found, ...more] = compareHttp(
      [allow(to({ paths: ['/a'] }))],
      [allow(to({ paths: ['/a'] }), { ...to({ paths: ['/a*'] }), ...from({ namespaces: ['shop'] }) })],
    ).differences;
    expect(more).toEqual([]);
    expect(found?.region.constraints).toMatchObject([
      {
        attribute: { kind: 'source' },
        alternatives: [{ matches: [{ field: 'namespaces', patterns: ['shop'] }], except: [] }],
      },
      {
        attribute: { kind: 'path' },
        alternatives: [
          {
            matches: [{ field: 'paths', patterns: ['/a*'] }],
            except: expect.arrayContaining([{ field: 'paths', patterns: ['/a'] }]),
          },
        ],
      },
    ]);
  });
  test('which rule decides now, and which did', () => {
    const [found] = compareHttp([], [deny(from({ principals: [web] }))]).differences;
    expect(found).toMatchObject({
      places: [{ workload: 'test/shop/cart', port: 8080 }],
      before: { verdict: 'allow', step: 'default' },
      after: { verdict: 'deny', step: 'DENY', by: { namespace: 'shop', name: 'deny', rule: 0 } },
    });
  });
  test('what was proven', () => {
    expect(compareWorlds(worldOf([allow(to(get))]), worldOf([allow(to(get))]))).toMatchObject({
      outcome: 'same',
      proof: { groups: 2, identical: 2, searched: 0 },
    });
    expect(
      compareHttp([allow(to({ paths: ['/a*'] }))], [allow(to({ paths: ['/a*', '/ab'] }))]).proof,
    ).toMatchObject({
      groups: 2,
      searched: 1,
    });
  });
});

describe('what cannot be told', () => {
  test('more than was granted, with the name of the policy that it is about', () => {
    const many = Array.from({ length: 60 }, (_, at) =>
      to({ paths: [`*${'ab'.repeat(at % 7)}${at}*`, `/x${at}*`] }),
    );
    const found = compareWorlds(
      worldOf([allow(...many)]),
      worldOf([allow(...many.slice(1), to({ paths: ['*'] }))]),
      {
        stepsOfGroup: 2000,
      },
    );
    expect(found).toMatchObject({ outcome: 'undecided', complete: false });
    expect(found.undecided[0]?.policies).toEqual(['AuthorizationPolicy/shop/allow']);
  });
});
