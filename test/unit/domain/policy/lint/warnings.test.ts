import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { lintPolicies, type Policy, readPolicies } from '../../../../../src/domain/policy/index.ts';
import { mesh, peer, policy, ports, service, workload } from '../mesh.ts';

const web = workload('shop/web');
const db = workload('shop/db', { ports: ports([5432, 'tcp']) });
const mixed = workload('shop/mixed', { ports: ports([8080, 'http'], [9000, 'tcp']) });
const secure = workload('safe/web');
const services = [service('shop/web', web)];
const provider = (name: string) => ({
  name,
  kind: 'grpc' as const,
  service: 'shop/opa',
  port: 1,
  timeout: 1,
  failOpen: false,
  pathPrefix: '',
  includeHeaders: [],
  bodyBytes: 0,
});
const registry = mesh([web, db, mixed, secure], [], services, {
  trustDomainAliases: ['old.example'],
  authorizationProviders: [provider('opa'), provider('other')],
});

/** `RULE PATH`, each. */
function lint(...policies: readonly Policy[]): readonly string[] {
  return lintPolicies([...policies, peer('safe/z', 'STRICT')], registry).map(
    ({ rule, path }) => `${rule} ${path}`,
  );
}

const forApp = (app: string, spec: object) =>
  policy('shop/p', { selector: { matchLabels: { app } }, ...spec });
const rule = (part: object) => ({ rules: [part] });
const source = (given: object) => rule({ from: [{ source: given }] });
const operation = (given: object) => rule({ to: [{ operation: given }] });
const deny = { action: 'DENY' };
const left = (value: string) => ({
  when: [{ key: 'experimental.envoy.filters.http.ext_authz[tier]', values: [value] }],
});
const tokens = (id: string, spec: object = {}) =>
  policy(id, { jwtRules: [{ issuer: 'https://i.example' }], ...spec }, { kind: 'RequestAuthentication' });

describe('no warning', () => {
  it.each<[string, readonly Policy[]]>([
    ['an ALLOW by principal', [forApp('web', source({ principals: ['example.org/ns/shop/sa/front'] }))]],
    ['a principal of an alias', [forApp('web', source({ principals: ['old.example/ns/shop/sa/front'] }))]],
    [
      'a principal of cluster.local, which is the mesh’s own',
      [forApp('web', source({ principals: ['cluster.local/ns/shop/sa/front'] }))],
    ],
    [
      'wildcards in principals',
      [forApp('web', source({ principals: ['*/ns/shop/sa/a', 'example.org/ns/*'] }))],
    ],
    ['a DENY by HTTP for an HTTP port', [forApp('web', { ...deny, ...operation({ methods: ['POST'] }) })]],
    [
      'a DENY by HTTP that names its port',
      [forApp('mixed', { ...deny, ...operation({ methods: ['POST'], ports: ['8080'] }) })],
    ],
    [
      'a DENY by HTTP whose condition names its port',
      [
        forApp('mixed', {
          ...deny,
          ...rule({
            to: [{ operation: { methods: ['POST'] } }],
            when: [{ key: 'destination.port', values: ['8080'] }],
          }),
        }),
      ],
    ],
    ['an ALLOW by HTTP beside a TCP port', [forApp('mixed', operation({ methods: ['GET'] }))]],
    [
      'a DENY of all but some',
      [forApp('web', { ...deny, ...source({ notPrincipals: ['example.org/ns/shop/sa/a'] }) })],
    ],
    [
      'notPrincipals beside principals',
      [forApp('web', source({ principals: ['*'], notPrincipals: ['example.org/ns/shop/sa/a'] }))],
    ],
    [
      'notPrincipals where there is no plaintext',
      [policy('safe/p', source({ notPrincipals: ['example.org/ns/shop/sa/a'] }))],
    ],
    [
      'a token that is verified and required',
      [
        tokens('shop/t', { selector: { matchLabels: { app: 'web' } } }),
        forApp('web', source({ requestPrincipals: ['*'] })),
      ],
    ],
    [
      'a service that is there',
      [
        policy('shop/p', {
          targetRefs: [{ kind: 'Service', name: 'web' }],
          ...rule({ from: [{ source: { principals: ['*'] } }] }),
        }),
      ],
    ],
    ['a denial of all that others open', [policy('safe/p', {}), policy('safe/q', { rules: [{}] })]],
    [
      'a denied host with its port',
      [forApp('web', { ...deny, ...operation({ hosts: ['a.example', 'a.example:*'] }) })],
    ],
    [
      'an allowed path',
      [forApp('web', operation({ paths: ['/Admin/{*}', '/', '/b/', '/b/b;c', '/a%20b', '/a/*', '*.js'] }))],
    ],
    [
      'CUSTOM by a provider that is there',
      [forApp('web', { action: 'CUSTOM', provider: { name: 'opa' }, rules: [{}] })],
    ],
    [
      'another mode for a workload than for its namespace',
      [peer('shop/a', 'STRICT'), peer('shop/b', 'PERMISSIVE', 'web')],
    ],
  ])('%s', (_, policies) => {
    expect(lint(...policies)).toEqual([]);
  });
});

/** What surely is not meant, and what only looks like it. */
describe.each<
  readonly [rule: string, hits: readonly (readonly Policy[])[], misses: readonly (readonly Policy[])[]]
>([
  [
    'deny-http-field-on-tcp',
    [
      [forApp('mixed', { ...deny, ...operation({ methods: ['POST'] }) })],
      [forApp('db', { ...deny, ...operation({ paths: ['/a'], notPorts: ['8080'] }) })],
    ],
    [
      [forApp('mixed', { ...deny, ...operation({ methods: ['POST'], ports: ['8080'] }) })],
      [forApp('mixed', { ...deny, ...operation({ methods: ['POST'], notPorts: ['9000'] }) })],
      [forApp('mixed', { ...deny, ...operation({ ports: ['9000'] }) })],
      [forApp('mixed', { action: 'AUDIT', ...operation({ methods: ['POST'] }) })],
    ],
  ],
  [
    'selector-matches-nothing',
    [
      [forApp('none', { rules: [{}] })],
      [policy('shop/p', { selector: { matchLabels: { app: 'web', tier: 'x' } }, rules: [{}] })],
      [policy('safe/p', { selector: { matchLabels: { app: 'db' } }, rules: [{}] })],
    ],
    [
      [forApp('web', { rules: [{}] })],
      [policy('root/p', { selector: { matchLabels: { app: 'db' } }, rules: [{}] })],
      [policy('shop/p', { selector: { matchLabels: {} }, rules: [{}] })],
    ],
  ],
  [
    'negative-identity-alone',
    [
      [forApp('web', source({ notPrincipals: ['example.org/ns/a/sa/b'] }))],
      [forApp('web', source({ notTrustDomains: ['old.example'] }))],
      [forApp('web', rule({ when: [{ key: 'source.trustDomain', notValues: ['old.example'] }] }))],
    ],
    [
      [forApp('web', source({ notPrincipals: ['example.org/ns/a/sa/b'], trustDomains: ['example.org'] }))],
      [forApp('web', { ...deny, ...source({ notPrincipals: ['example.org/ns/a/sa/b'] }) })],
      [policy('safe/p', source({ notPrincipals: ['example.org/ns/a/sa/b'] }))],
    ],
  ],
  [
    'missing-trust-domain',
    [
      [forApp('web', source({ principals: ['example.com/ns/a/sa/b'] }))],
      [forApp('web', source({ trustDomains: ['example.com'] }))],
      [forApp('web', source({ trustDomains: ['cluster.local'] }))],
      [forApp('web', source({ trustDomains: ['*.com'] }))],
      [forApp('web', rule({ when: [{ key: 'source.trustDomain', values: ['example.com'] }] }))],
    ],
    [
      [forApp('web', source({ principals: ['old.example/ns/a/sa/b'] }))],
      [forApp('web', source({ principals: ['cluster.local/ns/a/sa/b'] }))],
      [forApp('web', source({ trustDomains: ['example.org', 'old.example', 'old*', '*.org', '*'] }))],
    ],
  ],
  [
    'allow-shuts-out-everyone',
    [
      [forApp('web', {})],
      [forApp('web', source({ namespaces: ['a'], notNamespaces: ['a'] }))],
      [forApp('web', { ...source({ trustDomains: ['a'], notTrustDomains: ['a*'] }) })],
    ],
    [
      [forApp('web', {}), policy('shop/q', { rules: [{}] })],
      [policy('shop/p', {}, { annotations: { 'istio.io/dry-run': 'true' } })],
      [forApp('web', source({ namespaces: ['a'], notNamespaces: ['b'] }))],
    ],
  ],
  [
    'covered-rule',
    [
      [
        forApp('web', {
          rules: [...source({ namespaces: ['*'] }).rules, ...source({ namespaces: ['a'] }).rules],
        }),
      ],
      [
        forApp('web', {
          rules: [
            ...source({ trustDomains: ['*.org', 'old.example'] }).rules,
            ...source({ trustDomains: ['example.org'] }).rules,
          ],
        }),
      ],
      [forApp('web', { rules: [left('[go*]'), left('[gold]')] })],
    ],
    [
      [
        forApp('web', {
          rules: [...source({ namespaces: ['a'] }).rules, ...source({ namespaces: ['b'] }).rules],
        }),
      ],
      // Who is of this mesh is of its aliases too.
      [
        forApp('web', {
          rules: [
            ...source({ trustDomains: ['*.org'] }).rules,
            ...source({ trustDomains: ['example.org'] }).rules,
          ],
        }),
      ],
      [forApp('web', { rules: [left('*'), left('[gold]')] })],
      [forApp('web', { rules: [left('*]'), left('[gold]')] })],
    ],
  ],
  [
    'path-spelling',
    [
      ...['/a!b', '/a%21b', '/caf%C3%A9', '/a%7Cb', '/a%2Ab', '/v1:do', '/users/@me/{*}', '/a(b*'].map(
        (path) => [forApp('web', { ...deny, ...operation({ paths: [path] }) })],
      ),
      [forApp('web', operation({ notPaths: ['/a%21b'] }))],
    ],
    [
      [forApp('web', operation({ paths: ['/a%21b', '/a!b', '/caf%C3%A9'] }))],
      [forApp('web', { ...deny, ...operation({ paths: ['/a%21b', '/a!b'] }) })],
      [forApp('web', { ...deny, ...operation({ paths: ['/a%7Cb', '/a%7cb'] }) })],
      [forApp('web', { ...deny, ...operation({ paths: ['/a%20b', '/a-b._~', '/a/{*}/{**}', '/a*', '*'] }) })],
    ],
  ],
  [
    'header-twice',
    [
      ...['json', 'text/*', '*/json'].map((value) => [
        forApp('web', { ...deny, ...rule({ when: [{ key: 'request.headers[Accept]', values: [value] }] }) }),
      ]),
      [forApp('web', rule({ when: [{ key: 'request.headers[accept]', notValues: ['json'] }] }))],
    ],
    [
      [forApp('web', { ...deny, ...rule({ when: [{ key: 'request.headers[accept]', values: ['*'] }] }) })],
      [forApp('web', { ...deny, ...rule({ when: [{ key: 'request.headers[x-tier]', values: ['a'] }] }) })],
      [forApp('web', rule({ when: [{ key: 'request.headers[accept]', values: ['json'] }] }))],
      [
        forApp('web', {
          ...deny,
          ...rule({ when: [{ key: 'request.headers[accept]', notValues: ['json'] }] }),
        }),
      ],
    ],
  ],
  [
    'forwarded-address',
    [
      [forApp('web', source({ remoteIpBlocks: ['10.0.0.0/8'] }))],
      [forApp('web', { ...deny, ...source({ notRemoteIpBlocks: ['10.0.0.0/8'] }) })],
      [forApp('web', { ...deny, ...rule({ when: [{ key: 'remote.ip', values: ['10.0.0.1'] }] }) })],
      [forApp('web', source({ remoteIpBlocks: ['10.0.0.0/8'], principals: ['*'] }))],
      [
        forApp('web', {
          rules: [
            {
              from: [{ source: { remoteIpBlocks: ['10.0.0.1'] } }, { source: { namespaces: ['edge'] } }],
            },
          ],
        }),
      ],
      [
        forApp('web', {
          rules: [
            {
              from: [{ source: { ipBlocks: ['10.0.0.1'] } }, { source: { namespaces: ['edge'] } }],
              when: [{ key: 'remote.ip', values: ['10.0.0.1'] }],
            },
          ],
        }),
      ],
    ],
    [
      [forApp('web', source({ ipBlocks: ['10.0.0.0/8'] }))],
      [forApp('web', source({ remoteIpBlocks: ['10.0.0.0/8'], namespaces: ['edge'] }))],
      [
        forApp('web', {
          ...source({ serviceAccounts: ['edge'] }),
          rules: [
            {
              ...source({ serviceAccounts: ['edge'] }).rules[0],
              when: [{ key: 'remote.ip', values: ['10.0.0.1'] }],
            },
          ],
        }),
      ],
      [forApp('db', source({ remoteIpBlocks: ['10.0.0.0/8'] }))],
    ],
  ],
  [
    'identity-never-known',
    [[peer('shop/m', 'DISABLE'), forApp('web', source({ principals: ['example.org/*'] }))]],
    [
      [peer('shop/m', 'DISABLE'), forApp('web', source({ ipBlocks: ['10.0.0.1'] }))],
      [
        peer('shop/m', 'DISABLE'),
        forApp('web', { ...deny, ...source({ notPrincipals: ['example.org/*'] }) }),
      ],
      [peer('shop/m', 'PERMISSIVE'), forApp('web', source({ principals: ['example.org/*'] }))],
      [
        peer('shop/m', 'DISABLE', 'mixed', { portLevelMtls: { 8080: { mode: 'STRICT' } } }),
        forApp('mixed', source({ principals: ['example.org/*'] })),
      ],
    ],
  ],
  [
    'tokens-on-tcp',
    [[tokens('shop/t', { selector: { matchLabels: { app: 'db' } } })]],
    [
      [tokens('shop/t', { selector: { matchLabels: { app: 'mixed' } } })],
      [tokens('shop/t')],
      [tokens('shop/t', { selector: { matchLabels: { app: 'db' } }, jwtRules: [] })],
      [tokens('shop/t', { selector: { matchLabels: { app: 'none' } } })],
    ],
  ],
  [
    'missing-metadata',
    [
      [forApp('web', rule({ when: [{ key: 'experimental.envoy.filters.http.lua[a]', values: ['b'] }] }))],
      [
        forApp(
          'web',
          rule({ when: [{ key: 'experimental.envoy.filters.network.ext_authz[a]', values: ['b'] }] }),
        ),
      ],
      [
        forApp(
          'db',
          rule({ when: [{ key: 'experimental.envoy.filters.http.ext_authz[a]', values: ['b'] }] }),
        ),
      ],
    ],
    [
      [forApp('web', { rules: [left('gold')] })],
      [
        forApp(
          'db',
          rule({ when: [{ key: 'experimental.envoy.filters.network.ext_authz[a]', values: ['b'] }] }),
        ),
      ],
      [
        forApp(
          'mixed',
          rule({ when: [{ key: 'experimental.envoy.filters.network.rbac[a]', values: ['b'] }] }),
        ),
      ],
    ],
  ],
])('%s', (name, hits, misses) => {
  const told = (policies: readonly Policy[]) => lint(...policies).map((each) => each.split(' ')[0]);
  it.each(hits.map((policies) => [policies]))('is told: case %#', (policies) => {
    expect(told(policies)).toContain(name);
  });
  it.each(misses.map((policies) => [policies]))('is not told: near miss %#', (policies) => {
    expect(told(policies)).not.toContain(name);
  });
});

describe('a warning', () => {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const privateKey = JSON.stringify({ keys: [keys.privateKey.export({ format: 'jwk' })] });
  const jwt = (given: object) => [
    tokens('shop/p', { jwtRules: [{ issuer: 'https://i.example', ...given }] }),
    policy('shop/q', { ...source({ requestPrincipals: ['*'] }), action: 'AUDIT' }),
  ];
  const at = 'spec.rules[0].from[0].source';
  const to = 'spec.rules[0].to[0].operation';

  it.each<[string, readonly Policy[], string]>([
    [
      'a DENY with an HTTP field on a TCP port',
      [forApp('mixed', { ...deny, ...operation({ methods: ['POST'] }) })],
      `deny-http-field-on-tcp ${to}.methods`,
    ],
    [
      'a DENY by token on a TCP port',
      [
        forApp('db', { ...deny, ...source({ notRequestPrincipals: ['*'], ipBlocks: ['10.0.0.1'] }) }),
        tokens('shop/t'),
        policy('shop/u', { action: 'AUDIT', ...source({ requestPrincipals: ['*'] }) }),
      ],
      `deny-http-field-on-tcp ${at}.notRequestPrincipals`,
    ],
    [
      'a DENY by header on a TCP port',
      [forApp('db', { ...deny, ...rule({ when: [{ key: 'request.headers[a]', values: ['b'] }] }) })],
      'deny-http-field-on-tcp spec.rules[0].when[0].values',
    ],
    [
      'an ALLOW with an HTTP field that names a TCP port',
      [forApp('mixed', operation({ methods: ['GET'], ports: ['9000', '8080'] }))],
      `allow-http-field-on-tcp ${to}.methods`,
    ],
    [
      'a selector that matches nothing',
      [forApp('none', { rules: [{}] })],
      'selector-matches-nothing spec.selector',
    ],
    [
      'a selector of a PeerAuthentication that matches nothing',
      [peer('shop/p', 'STRICT', 'none')],
      'selector-matches-nothing spec.selector',
    ],
    [
      'a namespace without workloads',
      [policy('none/p', { rules: [{}] })],
      'namespace-without-workloads metadata.namespace',
    ],
    [
      'a selector in the root namespace',
      [peer('root/p', 'STRICT', 'web')],
      'selector-in-root-namespace spec.selector',
    ],
    [
      'a service that is not there',
      [policy('shop/p', { targetRefs: [{ kind: 'Service', name: 'none' }] })],
      'missing-target spec.targetRefs[0].name',
    ],
    [
      'a gateway',
      [
        policy('shop/p', {
          targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'a' }],
        }),
      ],
      'target-without-effect spec.targetRefs[0].name',
    ],
    [
      'a port that is not there',
      [forApp('web', { ...deny, ...operation({ ports: ['80'] }) })],
      `missing-port ${to}.ports[0]`,
    ],
    [
      'a mode of a port that is not there',
      [peer('shop/p', 'STRICT', 'web', { portLevelMtls: { 80: { mode: 'DISABLE' } } })],
      'missing-port spec.portLevelMtls.80',
    ],
    [
      'a provider that is not there',
      [forApp('web', { action: 'CUSTOM', provider: { name: 'none' }, rules: [{}] })],
      'missing-provider spec.provider.name',
    ],
    [
      'notPrincipals alone',
      [forApp('web', source({ notPrincipals: ['example.org/ns/a/sa/b'] }))],
      `negative-identity-alone ${at}.notPrincipals`,
    ],
    [
      'notNamespaces alone',
      [forApp('web', source({ notNamespaces: ['away'], ipBlocks: ['10.0.0.1'] }))],
      `negative-identity-alone ${at}.notNamespaces`,
    ],
    [
      'notServiceAccounts alone',
      [forApp('web', source({ notServiceAccounts: ['a'] }))],
      `negative-identity-alone ${at}.notServiceAccounts`,
    ],
    [
      'source.principal excluded by a condition',
      [forApp('web', rule({ when: [{ key: 'source.principal', notValues: ['example.org/ns/a/sa/b'] }] }))],
      'negative-identity-alone spec.rules[0].when[0].notValues',
    ],
    [
      'a trust domain that does not exist',
      [forApp('web', source({ principals: ['example.com/ns/a/sa/b'] }))],
      `missing-trust-domain ${at}.principals[0]`,
    ],
    [
      'one in a condition',
      [forApp('web', rule({ when: [{ key: 'source.principal', values: ['example.com/*'] }] }))],
      'missing-trust-domain spec.rules[0].when[0].values[0]',
    ],
    [
      'spiffe://',
      [forApp('web', source({ principals: ['spiffe://example.org/ns/a/sa/b'] }))],
      `principal-with-scheme ${at}.principals[0]`,
    ],
    [
      'a namespace in upper case',
      [forApp('web', source({ namespaces: ['Shop'] }))],
      `identity-in-upper-case ${at}.namespaces[0]`,
    ],
    [
      'a principal in upper case',
      [forApp('web', source({ principals: ['example.org/ns/Shop/sa/b'] }))],
      `identity-in-upper-case ${at}.principals[0]`,
    ],
    [
      'a token that nobody verifies',
      [forApp('web', source({ requestPrincipals: ['*'] }))],
      `token-never-verified ${at}.requestPrincipals`,
    ],
    ['a token that nobody requires', [tokens('shop/p')], 'token-not-required spec.jwtRules'],
    ['an ALLOW without a rule', [forApp('web', {})], 'allow-shuts-out-everyone spec'],
    [
      'an ALLOW by what TCP does not have',
      [forApp('db', operation({ methods: ['GET'] }))],
      'allow-shuts-out-everyone spec.rules',
    ],
    [
      'an ALLOW for a port that is not there',
      [forApp('web', operation({ ports: ['80'] }))],
      'allow-shuts-out-everyone spec.rules',
    ],
    [
      'a rule that excludes what it asks for',
      [forApp('web', { ...deny, ...source({ namespaces: ['shop'], notNamespaces: ['sh*'] }) })],
      'rule-never-matches spec.rules[0]',
    ],
    [
      'a condition that excludes what it asks for',
      [
        forApp('web', {
          ...deny,
          ...rule({ when: [{ key: 'source.ip', values: ['10.0.0.1'], notValues: ['10.0.0.0/8'] }] }),
        }),
      ],
      'rule-never-matches spec.rules[0]',
    ],
    ['an AUDIT without a rule', [forApp('web', { action: 'AUDIT' })], 'rule-never-matches spec'],
    [
      'a wildcard within',
      [forApp('web', operation({ paths: ['/a/*/b'] }))],
      `literal-wildcard ${to}.paths[0]`,
    ],
    [
      'a wildcard at both ends',
      [forApp('web', operation({ hosts: ['*a*'] }))],
      `literal-wildcard ${to}.hosts[0]`,
    ],
    [
      'a method in lower case',
      [forApp('web', operation({ methods: ['get'] }))],
      `method-in-lower-case ${to}.methods[0]`,
    ],
    [
      'a host with a scheme',
      [forApp('web', operation({ hosts: ['https://a.example/x'] }))],
      `host-never-matches ${to}.hosts[0]`,
    ],
    [
      'a denied host without its port',
      [forApp('web', { ...deny, ...operation({ hosts: ['a.example'] }) })],
      `host-without-port ${to}.hosts[0]`,
    ],
    [
      'all hosts but one allowed',
      [forApp('web', operation({ notHosts: ['a.example'] }))],
      `host-without-port ${to}.notHosts[0]`,
    ],
    [
      'a denied path',
      [forApp('web', { ...deny, ...operation({ paths: ['/admin*'] }) })],
      `path-case ${to}.paths[0]`,
    ],
    [
      'all paths but one allowed',
      [forApp('web', operation({ notPaths: ['/admin*'] }))],
      `path-case ${to}.notPaths[0]`,
    ],
    ...['/a//b', '/a/../b', '/a%2Fb', '/a?x=1', '/a#b', 'a', '/%41', '/a//*', '/a/./*', '*?x'].map(
      (path): [string, readonly Policy[], string] => [
        `a path that none is like: ${path}`,
        [forApp('web', operation({ paths: [path] }))],
        `path-never-matches ${to}.paths[0]`,
      ],
    ),
    [
      'the Host header',
      [forApp('web', rule({ when: [{ key: 'request.headers[Host]', values: ['a.example'] }] }))],
      'host-case spec.rules[0].when[0].values[0]',
    ],
    [
      'a name asked for in upper case',
      [forApp('web', rule({ when: [{ key: 'connection.sni', values: ['A.example'] }] }))],
      'sni-in-upper-case spec.rules[0].when[0].values[0]',
    ],
    ['keys over http', jwt({ jwksUri: 'http://i.example/k' }), 'keys-over-http spec.jwtRules[0].jwksUri'],
    ['an issuer that is no address', jwt({ issuer: 'me' }), 'keys-not-found spec.jwtRules[0].issuer'],
    [
      'keys without an issuer',
      jwt({ issuer: undefined, jwksUri: 'https://i.example/k' }),
      'any-issuer spec.jwtRules[0].jwksUri',
    ],
    [
      'a key that proxies do not know, beside another',
      jwt({ jwks: JSON.stringify({ keys: [{ kty: 'AKP' }, keys.publicKey.export({ format: 'jwk' })] }) }),
      'keys-passed-over spec.jwtRules[0].jwks',
    ],
    ['private keys', jwt({ jwks: privateKey }), 'private-keys spec.jwtRules[0].jwks'],
    [
      'a shared key',
      jwt({ jwks: '{"keys": [{"kty": "oct", "k": "AA"}]}' }),
      'private-keys spec.jwtRules[0].jwks',
    ],
    [
      'a younger PeerAuthentication of the same level',
      [peer('shop/a', 'STRICT'), peer('shop/b', 'DISABLE')],
      'shadowed-peer-authentication spec',
    ],
  ])('%s', (_, policies, expected) => {
    expect(lint(...policies)).toContain(expected);
  });

  it('notPrincipals alone in one source, beside another with principals', () => {
    const from = [
      { source: { principals: ['*'] } },
      { source: { notPrincipals: ['example.org/ns/a/sa/b'] } },
    ];
    expect(lint(forApp('web', rule({ from })))).toEqual([
      'negative-identity-alone spec.rules[0].from[1].source.notPrincipals',
      // Both together are everybody, and without an ALLOW everybody is let in too.
      'value-without-effect spec.rules[0].from[1].source.notPrincipals',
      'value-without-effect spec.rules[0].from[0].source.principals',
      'policy-without-effect spec',
    ]);
  });

  it.each<[string, string, string, number, number]>([
    ['path-spelling', 'DENY', 'to: [{operation: {paths: ["/a", "/a%21"]}}]', 6, 44],
    ['header-twice', 'DENY', 'when: [{key: "request.headers[accept]", values: [json]}]', 6, 61],
    ['forwarded-address', 'ALLOW', 'from: [{source: {remoteIpBlocks: [10.0.0.1]}}]', 6, 45],
    ['missing-metadata', 'ALLOW', 'when: [{key: "experimental.envoy.filters.x[a]", values: [b]}]', 6, 25],
  ])('%s, with its line and column', (name, action, text, line, column) => {
    const { policies, locate, problems } = readPolicies(
      `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: p, namespace: shop}
spec:
  action: ${action}
  rules: [{${text}}]
`,
      { source: 'F' },
    );
    expect(problems).toEqual([]);
    const found = lintPolicies(policies, registry, locate).filter(({ rule: told }) => told === name);
    expect(found).toMatchObject([{ line, column, source: 'F' }]);
  });

  it('two providers for one workload, at both', () => {
    const custom = (id: string, name: string) =>
      policy(id, { action: 'CUSTOM', provider: { name }, rules: [{}] });
    expect(lint(custom('shop/a', 'opa'), custom('shop/b', 'other'))).toEqual([
      'several-providers spec.provider.name',
      'several-providers spec.provider.name',
    ]);
  });

  it('says where, why, and what mends it', () => {
    const text = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: p, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  rules:
    - from:
        - source:
            principals: ["spiffe://example.org/ns/shop/sa/a"]
`;
    const { policies, locate } = readPolicies(text, { source: 'F' });
    expect(lintPolicies(policies, registry, locate)).toMatchObject([
      { rule: 'allow-shuts-out-everyone', line: 7, column: 5 },
      {
        rule: 'principal-with-scheme',
        object: { kind: 'AuthorizationPolicy', namespace: 'shop', name: 'p' },
        source: 'F',
        line: 9,
        column: 26,
        path: 'spec.rules[0].from[0].source.principals[0]',
        message: 'a principal is written without spiffe://; with it, none ever matches',
        mend: 'write "example.org/ns/shop/sa/a"',
      },
    ]);
    expect(lintPolicies(policies, registry)[0]).toMatchObject({ line: 1 });
  });
});
