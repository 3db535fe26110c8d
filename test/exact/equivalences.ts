/** Specs of AuthorizationPolicies by their names, all of the namespace `shop`. */
export type Specs = Readonly<Record<string, object>>;

export interface Rewritten {
  readonly name: string;
  readonly before: Specs;
  readonly after: Specs;
}

const from = (...sources: readonly object[]) => sources.map((source) => ({ source }));
const to = (...operations: readonly object[]) => operations.map((operation) => ({ operation }));
const allow = (...rules: readonly object[]): Specs => ({ p: { action: 'ALLOW', rules } });
const deny = (...rules: readonly object[]): Specs => ({ p: { action: 'DENY', rules } });
const paths = (...own: readonly string[]) => ({ to: to({ paths: own }) });
const when = (key: string, values: readonly string[]) => ({ when: [{ key, values }] });
const whenNot = (key: string, notValues: readonly string[]) => ({ when: [{ key, notValues }] });

const web = { from: from({ principals: ['mesh.test/ns/shop/sa/web'] }) };
const gets = { to: to({ methods: ['GET'] }) };

function of(name: string, before: Specs, after: Specs): Rewritten {
  return { name, before, after };
}

/** What authors write in another way and mean the same by. */
export const sameMeaning: readonly Rewritten[] = [
  of('rules in another order', allow(web, gets), allow(gets, web)),
  of('values in another order', allow(paths('/a', '/b')), allow(paths('/b', '/a'))),
  of('a policy split by its rules', allow(web, gets), {
    one: { action: 'ALLOW', rules: [web] },
    two: { action: 'ALLOW', rules: [gets] },
  }),
  of('two policies merged', { one: { rules: [web] }, two: { rules: [gets] } }, allow(web, gets)),
  of('a policy of another name', allow(web), { q: { action: 'ALLOW', rules: [web] } }),
  of('values in rules of their own', allow(paths('/a', '/b/*')), allow(paths('/a'), paths('/b/*'))),
  of('what a prefix has already', allow(paths('/a/*')), allow(paths('/a/*', '/a/b', '/a/b/*'))),
  of('a template that a prefix has already', allow(paths('/a/*')), allow(paths('/a/*', '/a/{*}/c'))),
  of('any rest as a template or a prefix', allow(paths('/a/*')), allow(paths('/a/{**}'))),
  of('every path', allow(paths('/*')), allow(paths('/{**}'))),
  of('presence of a path, of which each has one', allow(paths('*')), allow(paths('/*'))),
  of(
    'one segment, and that there are no more',
    allow({ to: to({ paths: ['/a/{*}'] }) }),
    allow({ to: to({ paths: ['/a/{*}'], notPaths: ['/a/{*}/{**}'] }) }),
  ),
  of(
    'what is excluded twice',
    allow({ to: to({ notPaths: ['/a/*'] }) }),
    allow({ to: to({ notPaths: ['/a/*', '/a/b'] }) }),
  ),
  of(
    'a block in its halves',
    allow({ from: from({ ipBlocks: ['10.1.2.0/24'] }) }),
    allow({ from: from({ ipBlocks: ['10.1.2.0/25', '10.1.2.128/25'] }) }),
  ),
  of(
    'all of IPv6 in its halves',
    deny({ from: from({ ipBlocks: ['::/0'] }) }),
    deny({ from: from({ ipBlocks: ['::/1', '8000::/1'] }) }),
  ),
  of(
    'a block with bits that do not count',
    allow({ from: from({ ipBlocks: ['10.1.2.0/24'] }) }),
    allow({ from: from({ ipBlocks: ['10.1.2.77/24'] }) }),
  ),
  of('every address there is', allow({ from: from({ ipBlocks: ['0.0.0.0/0', '::/0'] }) }), allow({})),
  of(
    'all but all others',
    allow({ from: from({ notIpBlocks: ['128.0.0.0/1', '::/0'] }) }),
    allow({ from: from({ ipBlocks: ['0.0.0.0/1'] }) }),
  ),
  of(
    'a host in another case',
    allow({ to: to({ hosts: ['Cart.Shop'] }) }),
    allow({ to: to({ hosts: ['cart.shop'] }) }),
  ),
  of(
    'a server name in another case',
    allow(when('connection.sni', ['Cart.Shop'])),
    allow(when('connection.sni', ['cart.shop'])),
  ),
  of('the mesh by its alias', allow(web), allow({ from: from({ principals: ['old.test/ns/shop/sa/web'] }) })),
  of(
    'the mesh as cluster.local',
    allow(web),
    allow({ from: from({ principals: ['cluster.local/ns/shop/sa/web'] }) }),
  ),
  of(
    'a trust domain alone, which no certificate names',
    allow(web),
    allow(web, { from: from({ principals: ['mesh.test', 'other.test'] }) }),
  ),
  of(
    'a caller in a field or a condition',
    allow(web),
    allow(when('source.principal', ['mesh.test/ns/shop/sa/web'])),
  ),
  of(
    'an account of the own namespace',
    allow({ from: from({ serviceAccounts: ['web'] }) }),
    allow({ from: from({ serviceAccounts: ['shop/web'] }) }),
  ),
  of(
    'a namespace, as all trust domains have it',
    allow({ from: from({ namespaces: ['shop'], trustDomains: ['mesh.test'] }) }),
    allow(
      { from: from({ trustDomains: ['mesh.test'], namespaces: ['shop'] }) },
      { from: from({ serviceAccounts: ['shop/web'], trustDomains: ['old.test'] }) },
    ),
  ),
  of(
    'what a DENY takes from an ALLOW',
    { a: { action: 'ALLOW', rules: [paths('/*')] }, d: { action: 'DENY', rules: [paths('/a/*')] } },
    allow({ to: to({ notPaths: ['/a/*'] }) }),
  ),
  of('a DENY of all others', deny({ to: to({ notMethods: ['GET'] }) }), {
    orders: { rules: [gets, { ...web, ...gets }] },
    any: { action: 'DENY', rules: [{ to: to({ notMethods: ['GET'] }) }] },
  }),
  of(
    'an ALLOW that is denied whole',
    { a: { action: 'ALLOW', rules: [web, paths('/a')] }, d: { action: 'DENY', rules: [paths('/a')] } },
    { a: { action: 'ALLOW', rules: [{ ...web, to: to({ notPaths: ['/a'] }) }] } },
  ),
  of('two DENYs of which one has the other', deny(gets, { ...web, ...gets }), deny(gets)),
  of('an AUDIT beside', allow(web), { ...allow(web), audit: { action: 'AUDIT', rules: [{}] } }),
  of(
    'a rule that nothing can match',
    allow(gets),
    allow(gets, { to: to({ methods: ['GET'], notMethods: ['G*'] }) }),
  ),
  of(
    'a method that begins and ends so, as one text',
    allow({ to: to({ methods: ['GE*'], notMethods: ['*'] }) }),
    allow({ to: to({ methods: ['X'], notMethods: ['X'] }) }),
  ),
  of(
    'a header that is there, or is there with something',
    allow(when('request.headers[x-a]', ['*'])),
    allow(when('request.headers[x-a]', ['*', 'gold'])),
  ),
  of(
    'a header by another case of its name',
    allow(when('request.headers[X-A]', ['gold'])),
    allow(when('request.headers[x-a]', ['gold'])),
  ),
  of(
    'a caller who has an audience',
    allow(when('request.auth.audiences', ['a'])),
    allow(when('request.auth.claims[aud]', ['a'])),
  ),
  of(
    'a token of an issuer',
    allow({ from: from({ requestPrincipals: ['*'] }) }),
    allow(when('request.auth.principal', ['*'])),
  ),
  of(
    'a claim within one that is a text',
    allow({
      when: [
        { key: 'request.auth.claims[a]', values: ['x'] },
        { key: 'request.auth.claims[a][b]', values: ['y'] },
      ],
    }),
    allow({ to: to({ methods: ['X'], notMethods: ['X'] }) }),
  ),
  of('a port that is not there', allow(web), allow(web, { to: to({ ports: ['1'] }) })),
  of('an ALLOW of everything, and no policy', allow(web, {}), {}),
  of(
    'the same provider asked twice',
    { c: { action: 'CUSTOM', provider: { name: 'one' }, rules: [gets] } },
    {
      c: { action: 'CUSTOM', provider: { name: 'one' }, rules: [gets] },
      e: { action: 'CUSTOM', provider: { name: 'one' }, rules: [gets] },
    },
  ),
];

/** What looks the same, and is not: by one text, one case, one star, one bit. */
export const nearlySame: readonly Rewritten[] = [
  of('a prefix with and without its slash', allow(paths('/a*')), allow(paths('/a', '/a/*'))),
  of('a prefix and what it is the prefix of', allow(paths('/a/*')), allow(paths('/a', '/a/*'))),
  of('one segment and any', allow(paths('/a/{*}')), allow(paths('/a/{**}'))),
  of('one segment, and one that may be empty', allow(paths('/a/{*}')), allow(paths('/a/{*}', '/a/'))),
  of('a path in another case', allow(paths('/A')), allow(paths('/a'))),
  of('a path with the query in it', allow(when('request.headers[:path]', ['/a'])), allow(paths('/a'))),
  of(
    'a block without its last half',
    allow({ from: from({ ipBlocks: ['10.1.2.0/24'] }) }),
    allow({ from: from({ ipBlocks: ['10.1.2.0/25', '10.1.2.128/26'] }) }),
  ),
  of('every address of IPv4', allow({ from: from({ ipBlocks: ['0.0.0.0/0'] }) }), allow({})),
  of(
    'who came and who forwarded',
    allow({ from: from({ ipBlocks: ['10.1.2.0/24'] }) }),
    allow({ from: from({ remoteIpBlocks: ['10.1.2.0/24'] }) }),
  ),
  of(
    'a host, and one with its port',
    allow({ to: to({ hosts: ['cart.shop'] }) }),
    allow({ to: to({ hosts: ['cart.shop', 'cart.shop:*'] }) }),
  ),
  of(
    'a host in a header, where case counts',
    allow(when('request.headers[host]', ['Cart.shop'])),
    allow({ to: to({ hosts: ['cart.shop'] }) }),
  ),
  of('another trust domain', allow(web), allow({ from: from({ principals: ['*/ns/shop/sa/web'] }) })),
  of(
    'an account in another namespace',
    allow({ from: from({ serviceAccounts: ['web'] }) }),
    allow({ from: from({ serviceAccounts: ['shop/web', 'bank/web'] }) }),
  ),
  of(
    'a namespace of any trust domain',
    allow({ from: from({ namespaces: ['shop'] }) }),
    allow({ from: from({ principals: ['mesh.test/ns/shop/sa/*'] }) }),
  ),
  of('any caller, and anybody', allow({ from: from({ principals: ['*'] }) }), allow({})),
  of(
    'not this one, and all others that are known',
    allow({ from: from({ notPrincipals: ['mesh.test/ns/shop/sa/web'] }) }),
    allow({ from: from({ principals: ['*'], notPrincipals: ['mesh.test/ns/shop/sa/web'] }) }),
  ),
  of('no rules, and an empty one', allow(), allow({})),
  of('a DENY of something and of its negation', deny(gets), deny({ to: to({ notMethods: ['GET'] }) })),
  of('one rule with both, and two with one each', allow({ ...web, ...gets }), allow(web, gets)),
  of(
    'two operations, and one of both',
    allow({ to: to({ methods: ['GET'] }, { paths: ['/a'] }) }),
    allow({ to: to({ methods: ['GET'], paths: ['/a'] }) }),
  ),
  of('an ALLOW more', allow(web), { ...allow(web), more: { action: 'ALLOW', rules: [gets] } }),
  of(
    'a header that is something else, and one that is there',
    allow(when('request.headers[x-a]', ['*'])),
    allow(whenNot('request.headers[x-a]', ['gold'])),
  ),
  of(
    'two values of one header',
    allow({
      when: [
        { key: 'request.headers[x-a]', values: ['gold'] },
        { key: 'request.headers[x-a]', values: ['old*'] },
      ],
    }),
    allow({ to: to({ methods: ['X'], notMethods: ['X'] }) }),
  ),
  of(
    'a claim that is there',
    allow(when('request.auth.claims[g]', ['*'])),
    allow(when('request.auth.claims[g]', ['r*'])),
  ),
  of(
    'a claim within another',
    allow(when('request.auth.claims[g]', ['r'])),
    allow(when('request.auth.claims[g][h]', ['r'])),
  ),
  of(
    'a slash that may be the issuer’s',
    allow({ from: from({ requestPrincipals: ['i/a/*'] }) }),
    allow({
      when: [
        { key: 'request.auth.claims[iss]', values: ['i'] },
        { key: 'request.auth.claims[sub]', values: ['a/*'] },
      ],
    }),
  ),
  of(
    'metadata in a list, and as a text',
    allow(when('experimental.envoy.filters.http.x[t]', ['gold'])),
    allow(when('experimental.envoy.filters.http.x[t]', ['[gold]'])),
  ),
  of(
    'another provider',
    { c: { action: 'CUSTOM', provider: { name: 'one' }, rules: [gets] } },
    { c: { action: 'CUSTOM', provider: { name: 'two' }, rules: [gets] } },
  ),
  of(
    'a provider that is not there',
    { c: { action: 'CUSTOM', provider: { name: 'one' }, rules: [gets] } },
    { c: { action: 'CUSTOM', provider: { name: 'nobody' }, rules: [gets] } },
  ),
  of(
    'a provider that could refuse',
    {},
    { c: { action: 'CUSTOM', provider: { name: 'one' }, rules: [gets] } },
  ),
  of(
    'a rule that nothing can match, but compares a method',
    allow(web),
    allow(web, { to: to({ methods: ['GET'], notMethods: ['G*'] }) }),
  ),
  of(
    'a path that is compared, so that what is ambiguous is refused',
    deny({ to: to({ ports: ['1'] }) }),
    deny({ to: to({ ports: ['1'], paths: ['/a'] }) }),
  ),
  of(
    'a server name that begins so',
    allow(when('connection.sni', ['cart.*'])),
    allow(when('connection.sni', ['cart*'])),
  ),
];
