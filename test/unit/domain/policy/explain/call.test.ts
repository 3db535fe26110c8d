import { describe, expect, test } from 'vitest';
import {
  alikeCallees,
  type CallExplanation,
  calleesOf,
  callerOf,
  explainCall,
  type GivenCall,
  type PolicyWorld,
  readPolicies,
} from '../../../../../src/domain/policy/index.ts';
import { mesh, ports, service, workload } from '../mesh.ts';

const orders = workload('shop/orders', { addresses: ['10.0.0.1'] });
const second = workload('shop/orders-2', { addresses: ['10.0.0.2'], labels: { app: 'orders' } });
const web = workload('shop/web', { addresses: ['10.0.0.9'], ports: [] });
const legacy = workload('shop/legacy', { proxy: 'none', ports: [] });
const bare = workload('shop/bare', { proxy: 'none' });
const captured = workload('lab/captured', { proxy: 'capture', ports: ports([8080, 'http'], [5432, 'tcp']) });
const all = [orders, second, web, legacy, bare, captured];
const services = [
  service('shop/orders', orders, second),
  service('shop/bare', bare),
  service('lab/captured', captured),
];

function world(yaml = '', over: Partial<PolicyWorld> = {}): PolicyWorld {
  const { policies, problems } = readPolicies(yaml, { source: 'p.yaml' });
  expect(problems).toEqual([]);
  return { ...mesh(all, policies, services), ...over };
}

const nothingSaid: GivenCall = {
  withQuery: true,
  headers: {},
  noOtherHeaders: false,
  token: 'unknown',
  answers: new Map(),
};
const plain: GivenCall = {
  ...nothingSaid,
  method: 'GET',
  path: '/orders/42',
  host: 'orders.shop',
  noOtherHeaders: true,
  token: 'none',
};

interface Asked {
  readonly from?: string;
  readonly to?: string;
  readonly call?: Partial<GivenCall>;
}

function ask(
  where: PolicyWorld,
  { from = 'shop/web', to = 'shop/orders', call = {} }: Asked = {},
): CallExplanation {
  const [callees] = alikeCallees(where, calleesOf(where, to));
  if (!callees) throw new Error('no callee');
  const now = new Date('2026-01-01T00:00:00Z');
  return explainCall({
    world: where,
    caller: callerOf(where, from),
    callees,
    call: { ...plain, ...call },
    now,
  });
}

const peer = (mode: string, rest = '') => `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: own, namespace: shop }
spec: { mtls: { mode: ${mode} }${rest} }
`;
const allow = (rule: string) => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: a, namespace: shop }
spec: { rules: [${rule}] }
`;
const tokens = (rest = '') => `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: t, namespace: shop }
spec:
  jwtRules:
    - issuer: https://idp.example
      jwksUri: https://idp.example/keys
${rest}`;

describe('whether a call is plaintext or mutual TLS', () => {
  const strict = { strict: new Set([orders.id, second.id]) };
  const rows: readonly (readonly [name: string, where: PolicyWorld, asked: Asked, expected: string])[] = [
    ['both have a proxy', world(), {}, 'mtls: both-have-a-proxy, PERMISSIVE by default: passes'],
    [
      'a caller without a certificate',
      world(),
      { from: 'plaintext' },
      'plaintext: caller-is-plaintext, PERMISSIVE by default: passes',
    ],
    [
      'plaintext where it is not taken',
      world(peer('STRICT')),
      { from: 'plaintext' },
      'plaintext: caller-is-plaintext, STRICT by policy own spec.mtls.mode: refused',
    ],
    [
      'plaintext where an operator refuses it',
      world('', strict),
      { from: 'plaintext' },
      'plaintext: caller-is-plaintext, STRICT by operator: refused',
    ],
    [
      'an operator does not change what is off',
      world(peer('DISABLE'), strict),
      {},
      'plaintext: disabled, DISABLE by policy own spec.mtls.mode: passes',
    ],
    [
      'a caller without a proxy shows nobody',
      world(),
      { from: 'shop/legacy' },
      'plaintext: caller-without-proxy, PERMISSIVE by default: passes',
    ],
    [
      'unless it is said to',
      world(),
      { from: 'shop/legacy', call: { transport: 'mtls' } },
      'mtls: as-said, PERMISSIVE by default: passes',
    ],
    [
      'a caller of another mesh',
      world(),
      { from: 'spiffe://other.example/ns/a/sa/b' },
      'mtls: caller-unknown, PERMISSIVE by default: passes',
    ],
    [
      'a callee without a proxy',
      world(),
      { to: 'shop/bare' },
      'plaintext: callee-without-proxy, PERMISSIVE by default: unjudged',
    ],
    [
      'a port that no service has',
      world(),
      { to: 'lab/captured:9999' },
      'plaintext: callee-behind-no-service, PERMISSIVE by default: passes',
    ],
  ];
  for (const [name, where, asked, expected] of rows)
    test(name, () => {
      const { kind, reason, mode, modeBy, policy, path, outcome } = ask(where, asked).transport;
      const by = policy && modeBy === 'policy' ? ` ${policy.name} ${path}` : '';
      expect(`${kind}: ${reason}, ${mode} by ${modeBy}${by}: ${outcome}`).toBe(expected);
    });

  test('the port’s own mode comes first, and says which', () => {
    const yaml = peer(
      'STRICT',
      ', selector: { matchLabels: { app: orders } }, portLevelMtls: { "8080": { mode: PERMISSIVE } }',
    );
    expect(ask(world(yaml), { from: 'plaintext' }).transport).toMatchObject({
      mode: 'PERMISSIVE',
      path: 'spec.portLevelMtls["8080"].mode',
      outcome: 'passes',
    });
  });

  test('what is refused there no policy is asked about, and where nobody judges no policy counts', () => {
    expect(ask(world(peer('STRICT')), { from: 'plaintext' })).toMatchObject({
      verdict: 'deny',
      decidedBy: 'transport',
    });
    expect(ask(world(allow('')), { to: 'shop/bare' })).toMatchObject({
      verdict: 'allow',
      decidedBy: 'nobody',
    });
  });

  test('an identity that the transport does not show is none', () => {
    const yaml = allow('{ from: [{ source: { principals: ["*"] } }] }');
    expect(ask(world(yaml)).verdict).toBe('allow');
    expect(ask(world(`${peer('DISABLE')}---\n${yaml}`)).verdict).toBe('deny');
    expect(ask(world(yaml), { from: 'shop/legacy' }).verdict).toBe('deny');
  });
});

describe('what is known of a call', () => {
  const on = (rule: string, asked: Asked = {}) => {
    const { verdict, dependsOn } = ask(world(allow(rule)), asked);
    return verdict === 'depends' ? dependsOn.attributes.join(' ') : verdict;
  };
  const when = (key: string, value: string) => `{ when: [{ key: "${key}", values: ["${value}"] }] }`;
  const rows: readonly (readonly [name: string, rule: string, asked: Asked, expected: string])[] = [
    [
      'a method that is not said',
      '{ to: [{ operation: { methods: [GET] } }] }',
      { call: { method: undefined } },
      'request.method',
    ],
    [
      'a header that is not said',
      when('request.headers[x-a]', '1'),
      { call: { noOtherHeaders: false } },
      'request.headers[x-a]',
    ],
    [
      'or that is said not to be there',
      when('request.headers[x-a]', '1'),
      { call: { headers: { 'X-A': [] }, noOtherHeaders: false } },
      'deny',
    ],
    [
      'a header that proxies set',
      when('request.headers[x-forwarded-proto]', 'http'),
      {},
      'request.headers[x-forwarded-proto]',
    ],
    ['the address of the caller, of the registry', when('source.ip', '10.0.0.9'), {}, 'allow'],
    ['which a caller of nowhere has not', when('source.ip', '10.0.0.9'), { from: 'plaintext' }, 'source.ip'],
    ['the client’s, where nobody forwarded', when('remote.ip', '10.0.0.9'), {}, 'allow'],
    [
      'where somebody may have',
      when('remote.ip', '10.0.0.9'),
      { call: { noOtherHeaders: false } },
      'remote.ip',
    ],
    [
      'where it is said that nobody has',
      when('remote.ip', '10.0.0.9'),
      { call: { headers: { 'x-forwarded-for': [] }, noOtherHeaders: false } },
      'allow',
    ],
    [
      'where somebody has',
      when('remote.ip', '203.0.113.7'),
      { call: { headers: { 'x-forwarded-for': ['1.2.3.4, 203.0.113.7'] } } },
      'allow',
    ],
    ['the callee’s address, of two', when('destination.ip', '10.0.0.1'), {}, 'destination.ip'],
    [
      'the callee’s address, of one',
      when('destination.ip', '10.0.0.1'),
      { to: 'test/shop/orders:8080' },
      'allow',
    ],
    ['the port is the workload’s own', '{ to: [{ operation: { ports: ["8080"] } }] }', {}, 'allow'],
    ['callers of the mesh name no server', when('connection.sni', '*'), {}, 'deny'],
    [
      'others may',
      when('connection.sni', '*'),
      { from: 'spiffe://other.example/ns/a/sa/b' },
      'connection.sni',
    ],
    [
      'a query that was left out',
      when('request.headers[:path]', '/orders/42'),
      { call: { withQuery: false } },
      'request.query',
    ],
    [
      'what other filters leave',
      when('experimental.envoy.filters.http.x[y]', 'z'),
      {},
      'experimental.envoy.filters.http.x[y]',
    ],
    [
      'a token that nobody reads',
      when('request.auth.claims[a]', 'b'),
      { call: { token: 'unknown' } },
      'deny',
    ],
  ];
  for (const [name, rule, asked, expected] of rows) test(name, () => expect(on(rule, asked)).toBe(expected));
});

describe('a token', () => {
  const yaml = `${tokens('      audiences: [orders]\n')}---\n${allow('{ from: [{ source: { requestPrincipals: ["*"] } }] }')}`;
  const good = { iss: 'https://idp.example', sub: 'ann', aud: 'https://orders/' };
  const rows: readonly (readonly [name: string, token: GivenCall['token'], expected: string])[] = [
    ['taken', good, 'allow by policies: taken'],
    ['of a list of audiences', { ...good, aud: ['x', 'orders'] }, 'allow by policies: taken'],
    ['of another issuer', { ...good, iss: 'https://evil.example' }, 'deny by token: refused issuer'],
    ['for somebody else', { ...good, aud: 'bank' }, 'deny by token: refused audience'],
    ['for nobody', { iss: good.iss, sub: 'ann' }, 'deny by token: refused audience'],
    ['that has ended', { ...good, exp: 1_700_000_000 }, 'deny by token: refused expired'],
    [
      'within a minute of its end',
      { ...good, exp: Date.parse('2025-12-31T23:59:30Z') / 1000 },
      'allow by policies: taken',
    ],
    [
      'that has not begun',
      { ...good, nbf: Date.parse('2026-01-01T00:02:00Z') / 1000 },
      'deny by token: refused not-yet',
    ],
    ['none', 'none', 'deny by policies: none'],
    ['not said', 'unknown', 'depends by policies: depends'],
  ];
  for (const [name, token, expected] of rows)
    test(name, () => {
      const found = ask(world(yaml), { call: { token } });
      const refusal = found.token?.refusal === undefined ? '' : ` ${found.token.refusal}`;
      expect(`${found.verdict} by ${found.decidedBy}: ${found.token?.outcome}${refusal}`).toBe(expected);
    });

  test('is named where a bad one would be refused though no policy asks for any', () => {
    const found = ask(world(tokens()), { call: { token: 'unknown' } });
    expect(found).toMatchObject({ verdict: 'depends', dependsOn: { attributes: ['request.token'] } });
  });

  test('says which rule took it', () => {
    expect(ask(world(yaml), { call: { token: good } }).token).toMatchObject({
      by: { name: 't', source: 'p.yaml' },
      path: 'spec.jwtRules[0]',
    });
  });
});

describe('an authorizer', () => {
  const asks = allow('{}').replace('spec: {', 'spec: { action: CUSTOM, provider: { name: keys },');
  const configured = (kind?: 'grpc' | 'http'): PolicyWorld => {
    const where = world(asks.replace('namespace: shop', 'namespace: lab'));
    const keys = kind === undefined ? { name: 'keys' } : { name: 'keys', kind };
    return { ...where, settings: { ...where.settings, authorizationProviders: [keys] } };
  };
  const yes = { answers: new Map([['keys', 'allow']] as const) };
  test.each([
    ['is asked about requests', 'lab/captured:8080', 'http', yes, 'allow'],
    ['is asked about connections by gRPC', 'lab/captured:5432', 'grpc', yes, 'allow'],
    ['cannot be asked about them by HTTP, which is a denial', 'lab/captured:5432', 'http', yes, 'deny'],
    ['of which it is not said how it answers leaves it open', 'lab/captured:5432', undefined, {}, 'depends'],
  ] as const)('%s', (_, to, kind, call, expected) => {
    expect(ask(configured(kind), { to, call }).verdict).toBe(expected);
  });
});

test('of more policies than a proxy can be told nobody may call', () => {
  const where = world(allow(''));
  const [first] = where.policies;
  if (first?.kind !== 'AuthorizationPolicy') throw new Error('no policy');
  const paths = Array.from({ length: 500_000 }, (_, index) => `/${index}`);
  const operation = {
    hosts: [],
    notHosts: [],
    ports: [],
    notPorts: [],
    methods: [],
    notMethods: [],
    notPaths: [],
  };
  const large = { ...first, rules: [{ from: [], to: [{ ...operation, paths }], when: [] }] };
  const found = ask({ ...where, policies: [large] }, { call: { path: '/1' } });
  expect(found).toMatchObject({
    verdict: 'deny',
    policies: { step: 'DENY', by: { policy: { namespace: 'citadel', name: 'too-many-policies' } } },
  });
});

describe('a callee by name', () => {
  const found = (to: string) => calleesOf(world(), to).map(({ workload: { id }, port }) => `${id}:${port}`);
  test.each([
    ['shop/orders', ['test/shop/orders:8080', 'test/shop/orders-2:8080']],
    ['orders:80', ['test/shop/orders:8080', 'test/shop/orders-2:8080']],
    ['orders.shop.svc.cluster.local', ['test/shop/orders:8080', 'test/shop/orders-2:8080']],
    ['shop/orders:8080', ['test/shop/orders:8080']],
    ['test/shop/orders-2', ['test/shop/orders-2:8080']],
    ['lab/captured:5432', ['test/lab/captured:5432']],
    ['lab/captured:7000', ['test/lab/captured:7000']],
  ])('%s', (to, expected) => {
    expect(found(to)).toEqual(expected);
  });

  test.each([
    ['shop/ordres', /no workload and no service shop\/ordres/],
    ['shop/order', /there is shop\/orders, shop\/orders-2/],
    ['shop/orders:81', /shop\/orders has no port 81; it has 80, 8080/],
    ['test/lab/captured', /several ports; name one: test\/lab\/captured:5432, test\/lab\/captured:8080/],
    ['shop/web', /declares no port/],
    ['shop/orders:0', /write it as/],
  ])('%s is told why not', (to, message) => {
    expect(() => found(to)).toThrow(message);
  });

  test('in two namespaces is asked which', () => {
    const twice = {
      ...world(),
      workloads: new Map([...all, workload('bank/orders')].map((each) => [each.id, each])),
    };
    expect(() => calleesOf(twice, 'orders:8080')).toThrow(/bank\/orders, shop\/orders/);
  });

  test('those under different policies are told apart', () => {
    const yaml = allow('').replace('spec: {', 'spec: { selector: { matchLabels: { app: nothing } },');
    const where = world(yaml.replace('nothing', 'orders'));
    expect(alikeCallees(where, calleesOf(where, 'shop/orders'))).toHaveLength(1);
    const one = workload('shop/orders', { labels: { app: 'other' } });
    const apart = { ...where, workloads: new Map([one, second].map((each) => [each.id, each])) };
    expect(alikeCallees(apart, calleesOf(apart, 'shop/orders'))).toHaveLength(2);
    expect(ask(where).callee.alike).toEqual(['test/shop/orders-2']);
  });
});

test.each([['shop'], ['a/b/c/d'], ['spiffe://x y'], ['shop/UPPER']])('%s names no caller', (from) => {
  expect(() => callerOf(world(), from)).toThrow(/no SPIFFE ID|names no caller/);
});
