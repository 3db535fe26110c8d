import { describe, expect, test } from 'vitest';
import { type ClaimValue, decide, type PolicyRequest } from '../../../../../src/domain/policy/index.ts';
import { context, policy, type RuleText, request } from './policies.ts';

type Row = readonly [name: string, rule: RuleText, request: PolicyRequest, matches: boolean];

const as = (sourcePrincipal: string | undefined) => request({}, { sourcePrincipal });
const at = (path: string) => request({ path });
const host = (name: string) => request({ host: name });
const header = (...values: string[]) => request({ headers: { 'X-Tier': values } });
const jwt = (claims: PolicyRequest['jwt']) => request({}, { jwt: claims });
const words = (claims: PolicyRequest['jwt'], ...spaceDelimitedClaims: string[]) =>
  request({}, { jwt: claims, spaceDelimitedClaims });
const left = (tier: ClaimValue) => request({}, { metadata: { 'envoy.filters.a': { tier } } });
const to = (operation: NonNullable<RuleText['to']>[number]): RuleText => ({ to: [operation] });
const from = (source: NonNullable<RuleText['from']>[number]): RuleText => ({ from: [source] });
const when = (key: string, ...values: string[]): RuleText => ({ when: [{ key, values }] });
const unless = (key: string, ...notValues: string[]): RuleText => ({ when: [{ key, notValues }] });

const tables: Readonly<Record<string, readonly Row[]>> = {
  rules: [
    ['a rule that says nothing matches all', {}, request(), true],
    [
      'all parts must match',
      { ...from({ namespaces: ['shop'] }), ...to({ methods: ['PUT'] }) },
      request(),
      false,
    ],
    ['any source of several', { from: [{ namespaces: ['x'] }, { namespaces: ['shop'] }] }, request(), true],
    ['all fields of one source', from({ namespaces: ['shop'], ipBlocks: ['10.2.0.0/16'] }), request(), false],
    [
      'a not list excludes what its list includes',
      to({ paths: ['/a*'], notPaths: ['/a/b'] }),
      at('/a/b'),
      false,
    ],
    ['a not list is none of them', to({ notMethods: ['PUT', 'GET'] }), request(), false],
    [
      'a condition with values and notValues needs both',
      { when: [{ key: 'source.namespace', values: ['s*'], notValues: ['shop'] }] },
      request(),
      false,
    ],
  ],
  strings: [
    ['exact', to({ paths: ['/a'] }), at('/a'), true],
    ['exact is not a prefix', to({ paths: ['/a'] }), at('/ab'), false],
    ['prefix', to({ paths: ['/a*'] }), at('/ab'), true],
    ['prefix of everything before the star', to({ paths: ['/a*'] }), at('/a'), true],
    ['suffix', to({ paths: ['*/z'] }), at('/a/z'), true],
    ['presence', to({ paths: ['*'] }), at('/'), true],
    ['the star in front is looked at first', to({ paths: ['*a*'] }), at('/bab'), false],
    ['and the one at the end is then a star', to({ paths: ['*a*'] }), at('/ba*'), true],
    ['case of a path counts', to({ paths: ['/Admin'] }), at('/admin'), false],
    ['case of a method counts', to({ methods: ['get'] }), request(), false],
  ],
  principals: [
    ['without the scheme', from({ principals: ['mesh.example/ns/shop/sa/front'] }), request(), true],
    ['presence is any peer with a certificate', from({ principals: ['*'] }), request(), true],
    ['presence is not a peer without one', from({ principals: ['*'] }), as(undefined), false],
    ['notPrincipals match a peer without one', from({ notPrincipals: ['*'] }), as(undefined), true],
    ['suffix', from({ principals: ['*/sa/front'] }), request(), true],
    [
      'a suffix ends behind the scheme',
      from({ principals: ['*//mesh.example/ns/shop/sa/front'] }),
      request(),
      false,
    ],
    ['prefix', from({ principals: ['mesh.example/ns/shop/*'] }), request(), true],
    [
      'a foreign trust domain is another principal',
      from({ principals: ['mesh.example/ns/shop/sa/front'] }),
      as('spiffe://other.example/ns/shop/sa/front'),
      false,
    ],
    ['namespace of the principal', from({ namespaces: ['shop'] }), request(), true],
    ['namespace by prefix', from({ namespaces: ['sh*'] }), request(), true],
    ['namespace by suffix', from({ namespaces: ['*op'] }), request(), true],
    ['namespace, whole segment only', from({ namespaces: ['sho'] }), request(), false],
    ['namespace of nobody', from({ notNamespaces: ['shop'] }), as(undefined), true],
    [
      'no namespace in a principal of another shape',
      from({ namespaces: ['shop'] }),
      as('spiffe://mesh.example/x/ns/shop/sa/front'),
      false,
    ],
    ['service account of the own namespace', from({ serviceAccounts: ['front'] }), request(), true],
    ['service account of a named one', from({ serviceAccounts: ['shop/front'] }), request(), true],
    ['service account of another', from({ serviceAccounts: ['bank/front'] }), request(), false],
    ['notServiceAccounts', from({ notServiceAccounts: ['front'] }), request(), false],
    ['source.principal', when('source.principal', 'mesh.example/ns/shop/sa/front'), request(), true],
    ['source.serviceAccount', when('source.serviceAccount', 'front'), request(), true],
    ['cluster.local is this mesh', from({ principals: ['cluster.local/ns/shop/sa/front'] }), request(), true],
    [
      'cluster.local stays no other mesh',
      from({ principals: ['cluster.local/ns/shop/sa/front'] }),
      as('spiffe://cluster.local/ns/shop/sa/front'),
      false,
    ],
  ],
  'trust domains': [
    ['exact', from({ trustDomains: ['mesh.example'] }), request(), true],
    ['another one', from({ trustDomains: ['mesh.exampl'] }), request(), false],
    ['prefix', from({ trustDomains: ['mesh*'] }), request(), true],
    ['suffix', from({ trustDomains: ['*.example'] }), request(), true],
    [
      'a suffix of the trust domain, not of what is behind it',
      from({ trustDomains: ['*front'] }),
      request(),
      false,
    ],
    ['a prefix of it alone', from({ trustDomains: ['mesh.example/ns*'] }), request(), false],
    ['presence is any peer with a certificate', from({ trustDomains: ['*'] }), request(), true],
    ['and nobody without one', from({ trustDomains: ['*'] }), as(undefined), false],
    ['notTrustDomains match nobody’s too', from({ notTrustDomains: ['mesh.example'] }), as(undefined), true],
    ['notTrustDomains', from({ notTrustDomains: ['other.example', 'mesh.example'] }), request(), false],
    [
      'a name without a workload',
      from({ trustDomains: ['mesh.example'] }),
      as('spiffe://mesh.example'),
      false,
    ],
    [
      'cluster.local is no name for this mesh here',
      from({ trustDomains: ['cluster.local'] }),
      request(),
      false,
    ],
    ['source.trustDomain', when('source.trustDomain', 'mesh.example'), request(), true],
    ['source.trustDomain of another', unless('source.trustDomain', 'mesh.*'), request(), false],
  ],
  addresses: [
    ['within a block', from({ ipBlocks: ['10.1.0.0/16'] }), request(), true],
    ['one address', from({ ipBlocks: ['10.1.2.3'] }), request(), true],
    ['bits behind the length do not count', from({ ipBlocks: ['10.1.2.99/24'] }), request(), true],
    ['/0 is every address of its family', from({ ipBlocks: ['0.0.0.0/0'] }), request(), true],
    ['and none of the other', from({ ipBlocks: ['::/0'] }), request(), false],
    ['IPv6', from({ ipBlocks: ['2001:db8::/32'] }), request({}, { sourceIp: '2001:db8:0:1::9' }), true],
    [
      'IPv6 outside',
      from({ ipBlocks: ['2001:db8::/33'] }),
      request({}, { sourceIp: '2001:db8:8000::1' }),
      false,
    ],
    ['an odd length', from({ ipBlocks: ['10.1.2.0/31'] }), request(), false],
    [
      'remoteIpBlocks look at the client',
      from({ remoteIpBlocks: ['192.0.2.0/24'] }),
      request({}, { remoteIp: '192.0.2.7' }),
      true,
    ],
    ['ipBlocks do not', from({ ipBlocks: ['192.0.2.0/24'] }), request({}, { remoteIp: '192.0.2.7' }), false],
    ['remote.ip', unless('remote.ip', '192.0.2.7'), request({}, { remoteIp: '192.0.2.7' }), false],
    ['destination.ip', when('destination.ip', '10.9.0.0/16'), request(), true],
    ['destination.port', when('destination.port', '8080'), request(), true],
    ['ports', to({ ports: ['80', '8080'] }), request(), true],
    ['connection.sni', when('connection.sni', '*.shop'), request({}, { sni: 'cart.shop' }), true],
    [
      'an SNI without regard to case',
      when('connection.sni', 'Cart.Shop'),
      request({}, { sni: 'cART.shop' }),
      true,
    ],
    ['presence of an SNI that is missing', when('connection.sni', '*'), request(), false],
  ],
  hosts: [
    ['without regard to case', to({ hosts: ['Cart.Shop'] }), host('cART.shop'), true],
    ['the port is part of it', to({ hosts: ['cart.shop'] }), host('cart.shop:8080'), false],
    ['any port, by prefix', to({ hosts: ['cart.shop:*'] }), host('CART.shop:8080'), true],
    ['suffix', to({ hosts: ['*.shop'] }), host('cart.SHOP'), true],
    ['the dot that ends a full name does not count', to({ hosts: ['cart.shop'] }), host('cart.shop.'), true],
    ['nor before a port', to({ hosts: ['cart.shop:80'] }), host('cart.shop.:80'), true],
    ['notHosts', to({ notHosts: ['cart.shop'] }), host('CART.SHOP'), false],
  ],
  paths: [
    ['the query is no part of it', to({ paths: ['/a'] }), at('/a?b=/c'), true],
    ['an escaped slash is a slash', to({ paths: ['/a/b'] }), at('/a%2Fb'), true],
    ['an escaped backslash too', to({ paths: ['/a/b'] }), at('/a%5cb'), true],
    ['slashes are merged', to({ paths: ['/a/b'] }), at('//a///b'), true],
    ['dots are resolved', to({ paths: ['/b'] }), at('/a/../b'), true],
    ['escaped dots too', to({ paths: ['/b'] }), at('/a/%2e%2E/b'), true],
    ['and dots between escaped slashes', to({ paths: ['/b'] }), at('/a%2F..%2Fb'), true],
    ['of nothing but slashes two are left', to({ paths: ['//'] }), at('/%2F/'), true],
    ['dots with parameters are dots', to({ paths: ['/b'] }), at('/a/..;x=1/b'), true],
    ['escaped letters are letters', to({ paths: ['/admin'] }), at('/%61dmin'), true],
    ['a letter does not complete an escape', to({ paths: ['/a%2520b'] }), at('/a%2%30b'), true],
    ['characters that no path holds are escaped', to({ paths: ['/a%7Cb'] }), at('/a|b'), true],
    ['what is escaped twice stays', to({ paths: ['/a%252Fb'] }), at('/a%252Fb'), true],
    ['a template has one segment for {*}', to({ paths: ['/a/{*}/c'] }), at('/a/b/c'), true],
    ['and not two', to({ paths: ['/a/{*}/c'] }), at('/a/b/b/c'), false],
    ['and not none', to({ paths: ['/a/{*}'] }), at('/a/'), false],
    ['any number for {**}', to({ paths: ['/a/{**}'] }), at('/a/b/c'), true],
    ['or none', to({ paths: ['/a/{**}'] }), at('/a/'), true],
    ['its slash stays', to({ paths: ['/a/{**}'] }), at('/a'), false],
    ['any character of a segment', to({ paths: ['/a/{*}'] }), at('/a/x=1*'), true],
    ['a dot of a template is a dot', to({ paths: ['/{*}/a.b'] }), at('/x/aXb'), false],
  ],
  headers: [
    ['name in any case', when('request.headers[x-TIER]', 'gold'), header('gold'), true],
    ['value in its case', when('request.headers[x-tier]', 'Gold'), header('gold'), false],
    ['any of several values', when('request.headers[x-tier]', 'gold'), header('lead', 'gold'), true],
    ['they are not joined', when('request.headers[x-tier]', 'a,b'), header('a', 'b'), false],
    [
      'of a header that HTTP knows they are joined',
      when('request.headers[accept]', 'a,b'),
      request({ headers: { Accept: ['a', '', 'b'] } }),
      true,
    ],
    [
      'and not compared one by one',
      when('request.headers[accept]', 'a'),
      request({ headers: { accept: ['a', 'b'] } }),
      false,
    ],
    ['a missing one matches notValues', unless('request.headers[x-tier]', 'gold'), request(), true],
    ['presence of an empty one', when('request.headers[x-tier]', '*'), header(''), true],
    ['presence of a missing one', when('request.headers[x-tier]', '*'), request(), false],
    ['host is the authority', when('request.headers[Host]', 'cart.shop'), request(), true],
  ],
  tokens: [
    [
      'request principal',
      from({ requestPrincipals: ['iss.example/ann'] }),
      jwt({ iss: 'iss.example', sub: 'ann' }),
      true,
    ],
    [
      'an issuer with slashes',
      from({ requestPrincipals: ['https://i/x/*'] }),
      jwt({ iss: 'https://i/x', sub: 'a/b' }),
      true,
    ],
    ['presence needs both', from({ requestPrincipals: ['*'] }), jwt({ iss: 'i' }), false],
    ['none without a token', from({ notRequestPrincipals: ['*'] }), request(), true],
    ['request.auth.principal', when('request.auth.principal', '*/ann'), jwt({ iss: 'i', sub: 'ann' }), true],
    ['an audience that is a string', when('request.auth.audiences', 'shop'), jwt({ aud: 'shop' }), true],
    ['an audience in a list', when('request.auth.audiences', 'sh*'), jwt({ aud: ['x', 'shop'] }), true],
    ['presenter', when('request.auth.presenter', 'app'), jwt({ azp: 'app' }), true],
    [
      'a claim in a list',
      when('request.auth.claims[groups]', 'admin'),
      jwt({ groups: ['dev', 'admin'] }),
      true,
    ],
    ['a nested claim', when('request.auth.claims[a][b]', 'c'), jwt({ a: { b: ['c'] } }), true],
    ['a name with dots is one name', when('request.auth.claims[a.b]', 'c'), jwt({ a: { b: 'c' } }), false],
    ['a number is no string', when('request.auth.claims[n]', '1'), jwt({ n: 1 }), false],
    ['presence is of something', when('request.auth.claims[n]', '*'), jwt({ n: '' }), false],
    ['presence of an object is none', when('request.auth.claims[n]', '*'), jwt({ n: { a: 'b' } }), false],
    ['a missing claim matches notValues', unless('request.auth.claims[n]', 'x'), request(), true],
    [
      'a scope is a list of words',
      when('request.auth.claims[scope]', 'write'),
      jwt({ scope: 'read write' }),
      true,
    ],
    [
      'other strings are not',
      when('request.auth.claims[roles]', 'write'),
      jwt({ roles: 'read write' }),
      false,
    ],
    [
      'other strings are, where the rule of the token says so',
      when('request.auth.claims[roles]', 'write'),
      words({ roles: 'read  write ' }, 'roles'),
      true,
    ],
    [
      'and then no whole text any more',
      when('request.auth.claims[roles]', 'read write'),
      words({ roles: 'read write' }, 'roles'),
      false,
    ],
    ['scope stays one', when('request.auth.claims[scope]', 'b'), words({ scope: 'a b' }, 'roles'), true],
    [
      'a name with dots is one claim’s',
      when('request.auth.claims[a.b]', 'y'),
      words({ 'a.b': 'x y', a: { b: 'x y' } }, 'a.b'),
      true,
    ],
    [
      'and none within another',
      when('request.auth.claims[a][b]', 'y'),
      words({ a: { b: 'x y' } }, 'a.b'),
      false,
    ],
    ['of lists nothing is split', when('request.auth.claims[g]', 'y'), words({ g: ['x y'] }, 'g'), false],
    [
      'a subject that is words is no principal',
      from({ requestPrincipals: ['*'] }),
      words({ iss: 'i', sub: 'ann' }, 'sub'),
      false,
    ],
    ['nothing is inherited', when('request.auth.claims[constructor]', '*'), jwt({}), false],
  ],
};

const tier = 'experimental.envoy.filters.a[tier]';
const metadata: readonly Row[] = [
  ['a string', when(tier, 'gold'), left('gold'), true],
  ['in its case', when(tier, 'Gold'), left('gold'), false],
  ['by prefix', when(tier, 'go*'), left('gold'), true],
  ['by suffix', when(tier, '*ld'), left('gold'), true],
  ['presence', when(tier, '*'), left('gold'), true],
  ['presence is of something', when(tier, '*'), left(''), false],
  ['a string is asked of no list', when(tier, 'gold'), left(['gold']), false],
  ['brackets ask of a list', when(tier, '[gold]'), left(['silver', 'gold']), true],
  ['by prefix in it', when(tier, '[go*]'), left(['gold']), true],
  ['presence in it', when(tier, '[*]'), left(['']), false],
  ['and of no string', when(tier, '[gold]'), left('gold'), false],
  ['either of both', when(tier, '[gold]', 'gold'), left('gold'), true],
  ['a number is no string', when(tier, '1'), left(1), false],
  ['nothing is inherited', when('experimental.envoy.filters.a[constructor]', '*'), left('gold'), false],
  ['another filter’s', when('experimental.envoy.filters.b[tier]', '*'), left('gold'), false],
  ['what is missing matches notValues', unless(tier, 'gold'), request(), true],
];

describe.each(Object.entries({ ...tables, metadata }))('%s', (_, rows) => {
  test.each(rows)('%s', (_name, rule, asked, matches) => {
    const { verdict } = decide([policy('ALLOW', [rule])], asked, context());
    expect(verdict).toBe(matches ? 'allow' : 'deny');
  });
});

const oldNames = { trustDomain: 'new.example', trustDomainAliases: ['old.example', 'older.example'] };
test.each([
  ['the mesh’s own name stands for its aliases', 'new.example/ns/shop/sa/front', 'old.example', true],
  ['an alias for the mesh’s own', 'old.example/ns/shop/sa/front', 'new.example', true],
  ['cluster.local for all', 'cluster.local/ns/shop/sa/front', 'older.example', true],
  ['the end of a trust domain', '*r.example/ns/shop/sa/front', 'new.example', true],
  ['which stays what it is for others', '*r.example/ns/shop/sa/front', 'other.example', true],
  ['a prefix without a path stands for itself', 'old*', 'new.example', false],
  ['a foreign name for itself alone', 'other.example/ns/shop/sa/front', 'new.example', false],
])('trust domains: %s', (_name, pattern, trustDomain, matches) => {
  const allow = policy('ALLOW', [{ from: [{ principals: [pattern] }] }]);
  const asked = as(`spiffe://${trustDomain}/ns/shop/sa/front`);
  expect(decide([allow], asked, context(oldNames)).verdict).toBe(matches ? 'allow' : 'deny');
});

test.each([
  ['the mesh’s own name stands for its aliases', 'new.example', 'old.example', true],
  ['an alias for the mesh’s own', 'older.example', 'new.example', true],
  ['an end of a name for what ends so', '*r.example', 'new.example', false],
  ['a foreign name for itself alone', 'other.example', 'new.example', false],
])('trustDomains: %s', (_name, name, trustDomain, matches) => {
  const allow = policy('ALLOW', [{ from: [{ trustDomains: [name] }] }]);
  const asked = as(`spiffe://${trustDomain}/ns/shop/sa/front`);
  expect(decide([allow], asked, context(oldNames)).verdict).toBe(matches ? 'allow' : 'deny');
});

test.each([
  ['is known to an ALLOW', true, 'allow'],
  ['is not there, and an ALLOW then lets nobody in', false, 'deny'],
] as const)('metadata of a connection that is not HTTP %s', (_name, isLeft, verdict) => {
  const allow = policy('ALLOW', [when(tier, 'gold')]);
  const { http: _http, metadata: found, ...connection } = left('gold');
  const asked = { ...connection, ...(isLeft ? { metadata: found } : {}) };
  expect(decide([allow], asked, context({ tcp: true })).verdict).toBe(verdict);
});

test('a key that is none is told', () => {
  expect(() => decide([policy('ALLOW', [when('request.nothing', 'x')])], request(), context())).toThrow(
    '"request.nothing" is no key of a condition',
  );
});
