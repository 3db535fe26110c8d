import { describe, expect, it } from 'vitest';
import { coverageOf, coveredPercent } from '../../../../../src/domain/policy/index.ts';
import { outcome, policy, run } from './tests.ts';

const jwks =
  '{"keys":[{"kty":"oct","kid":"k","k":"c2VjcmV0LXRoYXQtaXMtbG9uZy1lbm91Z2gtZm9yLWl0","alg":"HS256"}]}';
const webReads = policy('web-reads', {
  action: 'ALLOW',
  rules: [
    { to: [{ operation: { paths: ['/health'] } }] },
    {
      from: [{ source: { serviceAccounts: ['web'] } }],
      to: [{ operation: { methods: ['GET'], paths: ['/orders/*'] } }],
    },
  ],
});
const strict = policy('default', { mtls: { mode: 'STRICT' } }, { kind: 'PeerAuthentication' });
const off = policy('default', { mtls: { mode: 'DISABLE' } }, { kind: 'PeerAuthentication' });
const accounts = policy(
  'accounts',
  { jwtRules: [{ issuer: 'https://a.example', audiences: ['https://orders/'], jwks }] },
  { kind: 'RequestAuthentication' },
);
const clerks = policy('clerks', {
  action: 'ALLOW',
  rules: [{ when: [{ key: 'request.auth.claims[groups]', values: ['clerks'] }] }],
});
const asksExt = policy('ask', { action: 'CUSTOM', provider: { name: 'ext' }, rules: [{}] });
const asksNobody = policy('ask', { action: 'CUSTOM', provider: { name: 'gone' }, rules: [{}] });
const fromOffice = policy('office', {
  rules: [{ from: [{ source: { ipBlocks: ['10.0.0.0/8'] } }] }],
});
const getOnly = policy('get', { rules: [{ to: [{ operation: { methods: ['GET'] } }] }] });
const notPost = policy('post', { action: 'DENY', rules: [{ to: [{ operation: { methods: ['POST'] } }] }] });
const good = { iss: 'https://a.example', sub: 'ann', aud: 'orders', groups: ['clerks'] };

describe('a case', () => {
  // As a call that is expected to be denied would be told: `denied` is whatever does not get through.
  it.each<[string, string, object, string, string?]>([
    ['nothing is said', '', {}, 'allowed', 'nothing'],
    ['a rule of an ALLOW matches', webReads, { path: '/orders/1' }, 'allowed', 'shop/web-reads[1]'],
    ['its first rule too', webReads, { path: '/health' }, 'allowed', 'shop/web-reads[0]'],
    ['no rule of an ALLOW matches', webReads, { path: '/x' }, 'denied', 'nothing'],
    ['somebody else calls', webReads, { path: '/orders/1', from: 'shop/cron' }, 'denied', 'nothing'],
    ['the account of another namespace calls', webReads, { path: '/orders/1', from: 'x/web' }, 'denied'],
    [
      'a SPIFFE ID calls',
      webReads,
      { path: '/orders/1', from: 'spiffe://else.example/ns/shop/sa/web' },
      'allowed',
      'shop/web-reads[1]',
    ],
    ['plaintext has no identity', webReads, { path: '/orders/1', from: 'plaintext' }, 'denied', 'nothing'],
    ['a path is ambiguous', webReads, { path: '/orders/1;a' }, 'denied', 'nothing'],
    ['plaintext at STRICT', strict, { from: 'plaintext' }, 'refused', 'PeerAuthentication/shop/default'],
    ['mutual TLS at STRICT', strict, {}, 'allowed', 'nothing'],
    [
      'mutual TLS is off, so that nobody has a name',
      off + webReads,
      { path: '/orders/1' },
      'denied',
      'nothing',
    ],
    ['plaintext where it is off', off, { from: 'plaintext' }, 'allowed'],
    ['a token that is asked for', accounts + clerks, { jwt: good }, 'allowed', 'shop/clerks[0]'],
    ['no token', accounts + clerks, {}, 'denied', 'nothing'],
    ['a token that nobody looks at', clerks, { jwt: good }, 'denied', 'nothing'],
    [
      'a token of another issuer',
      accounts,
      { jwt: { ...good, iss: 'x' } },
      'unauthorized',
      'RequestAuthentication/shop/accounts',
    ],
    [
      'a token for somebody else',
      accounts,
      { jwt: { ...good, aud: ['x'] } },
      'denied',
      'RequestAuthentication/shop/accounts',
    ],
    ['a token for several', accounts + clerks, { jwt: { ...good, aud: ['x', 'orders'] } }, 'allowed'],
    ['an expired token', accounts, { jwt: { ...good, exp: 1_767_225_000 } }, 'unauthorized'],
    ['a token that has just expired', accounts, { jwt: { ...good, exp: 1_767_225_590 } }, 'allowed'],
    ['a token of tomorrow', accounts, { jwt: { ...good, nbf: 1_767_300_000 } }, 'unauthorized'],
    ['a token that no key verifies', accounts, { jwt: 'invalid' }, 'unauthorized'],
    ['a bad token that nobody looks at', '', { jwt: 'invalid' }, 'allowed'],
    ['a provider that says yes', asksExt, { custom: { ext: 'allow' } }, 'allowed', 'nothing'],
    ['a provider that says no', asksExt, { custom: { ext: 'deny' } }, 'denied', 'shop/ask[0]'],
    ['a provider that is not there', asksNobody, { custom: { gone: 'allow' } }, 'denied', 'shop/ask[0]'],
    [
      'a provider is asked before a token',
      asksExt + accounts,
      { custom: { ext: 'deny' }, jwt: 'invalid' },
      'denied',
      'shop/ask[0]',
    ],
    ['an address', fromOffice, { ip: '10.1.2.3' }, 'allowed', 'shop/office[0]'],
  ])('%s', (_, policies, call, expected, by) => {
    const { cases } = run(policies, {
      cases: [{ name: 'c', ...call, expect: expected, ...(by === undefined ? {} : { by }) }],
    });
    expect(cases.flatMap(({ failures }) => failures)).toEqual([]);
    // Anything else fails.
    const other = expected === 'allowed' ? 'denied' : 'allowed';
    expect(outcome(policies, { ...call, expect: other })).toHaveLength(1);
    if (by === undefined) return;
    expect(outcome(policies, { ...call, expect: expected, by: 'shop/other[0]' })[0]).toMatch(
      /as expected, but not by shop\/other\[0\]/,
    );
  });

  it('cannot be judged where it does not say what a provider answers', () => {
    for (const expected of ['allowed', 'denied'])
      expect(outcome(asksExt, { expect: expected })).toEqual([
        `GET / from shop/web to shop/orders:8080: expected ${expected}, but it hangs on what the case does not say: write custom: { ext: allow }`,
      ]);
  });

  it.each<[string, object, string]>([
    ['method', { to: [{ operation: { methods: ['PUT'] } }] }, 'method'],
    ['path', { to: [{ operation: { paths: ['/a'] } }] }, 'path'],
    ['host', { to: [{ operation: { hosts: ['a'] } }] }, 'host'],
    ['address', { from: [{ source: { ipBlocks: ['10.0.0.0/8'] } }] }, 'ip'],
    ['client’s address', { from: [{ source: { remoteIpBlocks: ['10.0.0.0/8'] } }] }, 'remoteIp'],
    [
      'own address',
      { when: [{ key: 'destination.ip', values: ['10.0.0.0/8'] }] },
      'addresses of the workload',
    ],
  ])('cannot be judged where it does not say the %s, and that decides', (_, rule, told) => {
    const silent = { method: undefined, path: undefined, host: undefined };
    const denying = policy('d', { action: 'DENY', rules: [rule] });
    for (const expected of ['allowed', 'denied'])
      expect(
        outcome(denying, { expect: expected }, { defaults: { from: 'web', to: 'orders', ...silent } })[0],
      ).toContain(`expected ${expected}, but it hangs on what the case does not say: write ${told}`);
    // Nor does it count as exercised.
    const ran = run(denying, {
      defaults: { from: 'web', to: 'orders' },
      cases: [{ name: 'c', expect: 'denied' }],
    });
    expect(coveredPercent(coverageOf(ran.policies, ran.asked))).toBe(0);
  });

  it('is of mutual TLS between workloads that the test puts behind no service', () => {
    const workloads = [{ name: 'orders' }, { name: 'web' }];
    expect(outcome(webReads, { path: '/orders/1' }, { workloads })).toEqual([]);
    expect(outcome(strict, {}, { workloads })).toEqual([]);
  });

  it('takes the address of the caller’s workload, where it has one, and says of a header that it is not there', () => {
    const workloads = [{ name: 'orders' }, { name: 'web', addresses: ['10.1.1.1'] }];
    expect(outcome(fromOffice, { by: 'shop/office[0]' }, { workloads })).toEqual([]);
    const header = policy('h', { rules: [{ when: [{ key: 'request.headers[x-a]', values: ['1'] }] }] });
    expect(outcome(header, { expect: 'denied' })).toEqual([]);
    expect(outcome(header, { headers: { 'X-A': ['0', '1'] } })).toEqual([]);
  });

  it('takes any rule of a policy where none is named', () => {
    expect(outcome(webReads, { path: '/orders/1', by: 'shop/web-reads' })).toEqual([]);
    expect(outcome(webReads, { path: '/orders/1', by: 'shop/web-reads[0]' })[0]).toContain(
      'shop/web-reads[1]',
    );
  });

  it('is refused by an order, a denial, and 401 where denied is expected; by one alone where that one is', () => {
    expect(outcome(strict, { from: 'plaintext', expect: 'denied' })).toEqual([]);
    expect(outcome(strict, { from: 'plaintext', expect: 'unauthorized' })).toHaveLength(1);
    expect(outcome(accounts, { jwt: 'invalid', expect: 'denied' })).toEqual([]);
    expect(outcome(accounts, { jwt: { ...good, aud: 'x' }, expect: 'unauthorized' })).toHaveLength(1);
  });

  it('makes a call for each of its callers, methods and paths, and tells of a few that fail', () => {
    const { cases } = run(webReads, {
      cases: [
        {
          name: 'c',
          from: ['web', 'cron'],
          method: ['GET', 'PUT'],
          path: ['/orders/1', '/x'],
          expect: 'denied',
        },
      ],
    });
    expect(cases).toMatchObject([
      { calls: 8, failures: [expect.stringContaining('GET /orders/1 from shop/web')] },
    ]);
    const many = { from: ['a', 'b', 'c'], method: ['GET', 'PUT', 'POST'], expect: 'denied' };
    expect(outcome('', many)).toHaveLength(6);
    expect(outcome('', many)[5]).toBe('and 4 more');
  });

  it('says where the policy stands that decided', () => {
    expect(outcome(webReads, { path: '/orders/1', expect: 'denied' })).toEqual([
      'GET /orders/1 from shop/web to shop/orders:8080: expected denied, but it is allowed by shop/web-reads[1] (P:2): ALLOW matches',
    ]);
  });
});

describe('the callee', () => {
  const workloads = [
    { name: 'orders', ports: [{ port: 8080 }, { port: 5432, protocol: 'tcp' }] },
    { name: 'orders-2', labels: { app: 'orders', v: 'two' }, ports: [{ port: 8080 }] },
    { name: 'captured', proxy: 'capture' },
    { name: 'bare', proxy: 'none' },
  ];
  const services = [
    {
      name: 'shopfront',
      hosts: ['shop.example'],
      selector: { app: 'orders' },
      ports: [{ port: 80, targetPort: 8080 }],
    },
  ];
  const at = (policies: string, to: string, more: object = {}) =>
    outcome(policies, { to, ...more }, { workloads, services });

  it('is named with its port where it has several', () => {
    expect(at('', 'orders')).toEqual([
      'shop/orders has several ports; name one: shop/orders:5432, shop/orders:8080',
    ]);
    expect(at('', 'orders:81')).toEqual(['shop/orders has no port 81; it has 5432, 8080']);
    expect(at('', 'x/orders:8080')).toEqual([
      'there is no workload and no service x/orders; there is shop/orders, shop/orders-2',
    ]);
  });

  it('may be a service: then every workload behind it', () => {
    const deny = (labels: object) =>
      policy('deny', { selector: { matchLabels: labels }, action: 'DENY', rules: [{}] });
    // One call stands for all of which the same holds.
    expect(at(deny({ app: 'orders' }), 'shopfront')).toEqual([
      'GET / from shop/web to shop/orders:8080 and 1 alike: expected allowed, but it is denied by shop/deny[0] (P:2): DENY matches',
    ]);
    expect(at(deny({ v: 'two' }), 'shopfront')).toEqual([
      'GET / from shop/web to shop/orders-2:8080: expected allowed, but it is denied by shop/deny[0] (P:2): DENY matches',
    ]);
    expect(at('', 'shopfront:81')).toEqual(['shop/shopfront has no port 81; it has 80']);
  });

  it('has no methods where its bytes are not read', () => {
    expect(at(getOnly, 'orders:5432', { method: 'GET' })[0]).toMatch(/^a connection from/);
    expect(at(notPost, 'orders:5432', { method: 'GET' })[0]).toMatch(/denied by shop\/post\[0\]/);
    expect(at(notPost, 'orders:8080', { method: 'GET' })).toEqual([]);
  });

  it('is known by no protocol at a port that capture brings', () => {
    expect(at(getOnly, 'captured:9999')).toHaveLength(1);
    expect(at(getOnly, 'captured:8080')).toEqual([]);
  });

  it('lets all in where it has no proxy', () => {
    expect(at(notPost, 'bare:8080', { method: 'POST' })).toEqual([]);
    expect(at(notPost, 'bare:8080', { method: 'POST', expect: 'denied' })[0]).toContain(
      'no proxy stands beside it',
    );
  });
});
