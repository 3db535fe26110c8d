import { describe, expect, test } from 'vitest';
import {
  decide,
  type Policy,
  readPolicies,
  type Suggestion,
  type SuggestRequest,
  suggest,
} from '../../../../../src/domain/policy/index.ts';
import type { DecisionRecord } from '../../../../../src/domain/ports/index.ts';
import { at, decisionRecord } from '../../../../contract/store-samples.ts';
import { mesh, policy, ports, service, workload } from '../mesh.ts';

const id = (name: string) => `spiffe://example.org/ns/shop/sa/${name}`;
const orders = workload('shop/orders', { ports: ports([80, 'http']) });
const second = workload('shop/orders-2', {
  ports: ports([80, 'http']),
  labels: { app: 'orders' },
  serviceAccount: 'orders',
});
const store = workload('shop/store', { ports: ports([80, 'http'], [90, 'tcp']) });

const call = (changes: Partial<DecisionRecord> = {}) =>
  decisionRecord({ workload: orders.id, policy: undefined, rule: undefined, count: 10, ...changes });
const world = (policies: readonly Policy[] = []) =>
  mesh([orders, second, store], policies, [service('shop/front', orders, second)]);

const suggestFor = (
  records: readonly DecisionRecord[],
  request: Partial<SuggestRequest> = {},
  policies: readonly Policy[] = [],
) => suggest(records, world(policies), { to: 'shop/orders', ...request });

function rulesOf({ text = '' }: Suggestion) {
  const { policies, problems } = readPolicies(text, { source: 'T' });
  expect(problems).toEqual([]);
  return policies
    .flatMap((each) => (each.kind === 'AuthorizationPolicy' ? each.rules : []))
    .map(({ from, to }) => ({
      principals: from.flatMap(({ principals }) => principals),
      to: to.map(({ methods, paths, ports: named }) => [methods.join(), paths.join(), named.join()]),
    }));
}

const reasons = ({ leftOut }: Suggestion) => leftOut.map(({ reason, calls }) => [reason, calls]);

describe('the least policy that lets in what was recorded', () => {
  test('is Istio’s, in the one form', () => {
    const suggestion = suggestFor([
      call({ path: '/orders/1' }),
      call({ path: '/orders/2' }),
      call({ path: '/orders/3', workload: second.id }),
      call({ path: '/orders', method: 'POST' }),
    ]);
    expect(suggestion.text).toBe(`apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: suggested-orders
  namespace: shop
spec:
  selector:
    matchLabels:
      app: orders
  action: ALLOW
  rules:
    - from:
        - source:
            principals:
              - example.org/ns/shop/sa/web
      to:
        - operation:
            methods:
              - GET
            paths:
              - /orders/{*}
        - operation:
            methods:
              - POST
            paths:
              - /orders
`);
    expect(suggestion).toMatchObject({
      workloads: ['test/shop/orders', 'test/shop/orders-2'],
      callers: [{ caller: id('web'), calls: 40, records: 4, isRare: false, first: at(1), last: at(2) }],
      leftOut: [],
      besides: [],
      warnings: [],
      replay: { changes: [], undecided: [], mismatches: [], unchanged: { records: 4 } },
    });
  });

  test('callers that do the same share a rule, others have their own', () => {
    const suggestion = suggestFor([
      call({ caller: id('web'), path: '/a' }),
      call({ caller: id('app'), path: '/a' }),
      call({ caller: id('cron'), path: '/a', method: 'POST' }),
    ]);
    expect(rulesOf(suggestion)).toEqual([
      { principals: ['example.org/ns/shop/sa/app', 'example.org/ns/shop/sa/web'], to: [['GET', '/a', '']] },
      { principals: ['example.org/ns/shop/sa/cron'], to: [['POST', '/a', '']] },
    ]);
  });

  test('no method is let in where it was not seen', () => {
    const paths = ['/o/1', '/o/2', '/o/3'];
    const suggestion = suggestFor([
      ...paths.map((path) => call({ path })),
      ...['GET', 'DELETE'].map((method) => call({ path: '/o/9', method })),
    ]);
    expect(rulesOf(suggestion)).toMatchObject([
      {
        to: [
          ['DELETE', '/o/9', ''],
          ['GET', '/o/{*}', ''],
        ],
      },
    ]);
  });

  test('ports are named where there are several, and bytes have nothing else', () => {
    const tcp = { port: 90, method: undefined, path: undefined, host: undefined };
    const suggestion = suggestFor(
      [call({ workload: store.id, path: '/a' }), call({ workload: store.id, ...tcp })],
      { to: 'shop/store' },
    );
    expect(rulesOf(suggestion).map(({ to }) => to)).toEqual([[['GET', '/a', '80']], [['', '', '90']]]);
    expect(suggestion.warnings).toEqual([]);
  });

  test.each<[string, Partial<DecisionRecord>]>([
    ['denied', { decision: 'denied', refusedBy: 'policies' }],
    ['plaintext', { transport: 'plaintext', caller: undefined }],
    ['plaintext', { transport: 'other-tls', caller: undefined }],
    // Who lies about it in a file of records.
    ['plaintext', { transport: 'plaintext' }],
    ['caller-not-kept', { caller: undefined, lacks: ['caller'] }],
    ['caller-not-kept', { lacks: ['transport'] }],
    ['request-not-kept', { path: undefined, lacks: ['path'] }],
    ['request-not-kept', { method: undefined, lacks: ['method'] }],
    ['request-not-kept', { port: 0, lacks: ['port'] }],
    ['port-gone', { port: 81 }],
    // As patterns these would mean more.
    ['unwritable', { path: '/a*' }],
    ['unwritable', { path: '/*' }],
    ['unwritable', { path: '/a/{*}' }],
    ['unwritable', { path: '/a/{**}' }],
    ['unwritable', { method: '*' }],
    ['unwritable', { method: 'GET*' }],
    // No proxy compares these, or each refuses them.
    ['unwritable', { path: '/a/../b' }],
    ['unwritable', { path: '/a\n  - {}' }],
    ['unwritable', { path: '/a\u001b[2J' }],
    ['unwritable', { path: '/a;b' }],
    ['unwritable', { method: 'get' }],
  ])('leaves out, as %s: %j', (reason, changes) => {
    const suggestion = suggestFor([call({ path: '/fine' }), call({ path: '/bad', count: 3, ...changes })]);
    expect(reasons(suggestion)).toEqual([[reason, 3]]);
    expect(rulesOf(suggestion)).toMatchObject([{ to: [['GET', '/fine', '']] }]);
  });

  test('nothing is proposed of nothing', () => {
    expect(suggestFor([call({ decision: 'denied', refusedBy: 'policies' })])).toMatchObject({
      text: undefined,
      callers: [],
      replay: { total: { records: 1 } },
    });
  });

  test('a caller that tries everything is left out, and the others are not touched by it', () => {
    const words = Array.from(
      { length: 51 },
      (_, index) => `/w${String.fromCharCode(97 + (index % 26))}${'x'.repeat(index)}`,
    );
    const suggestion = suggestFor([
      call({ path: '/orders' }),
      ...words.map((path) => call({ caller: id('scanner'), path, count: 1 })),
    ]);
    expect(reasons(suggestion)).toEqual([['too-many-paths', 51]]);
    expect(rulesOf(suggestion)).toMatchObject([
      { principals: ['example.org/ns/shop/sa/web'], to: [['GET', '/orders', '']] },
    ]);
    expect(suggestion.replay.changes).toMatchObject([
      { caller: id('scanner'), becomes: 'denied', calls: 51 },
    ]);
  });

  test('identifiers of one caller open nothing for another', () => {
    const suggestion = suggestFor([
      ...['/admin/1', '/admin/2', '/admin/3'].map((path) => call({ caller: id('cron'), path })),
      call({ path: '/admin/1' }),
    ]);
    expect(rulesOf(suggestion)).toMatchObject([
      { to: [['GET', '/admin/{*}', '']] },
      { to: [['GET', '/admin/1', '']] },
    ]);
  });

  test('more callers than a policy takes are left out, the rarest first', () => {
    const records = Array.from({ length: 255 }, (_, index) =>
      call({ caller: id(`c${index}`), path: `/${index}`, count: index + 1 }),
    );
    const suggestion = suggestFor(records);
    expect(suggestion.callers.length).toBe(250);
    expect(reasons(suggestion)).toEqual([['too-many-callers', 1 + 2 + 3 + 4 + 5]]);
  });

  test('flags who was seldom seen', () => {
    const { callers } = suggestFor([call({ count: 9 }), call({ caller: id('cron') })]);
    expect(callers.map(({ caller, isRare }) => [caller, isRare])).toEqual([
      [id('cron'), false],
      [id('web'), true],
    ]);
  });

  test('tells what would be denied, and which policies let in others besides', () => {
    const allow = policy('shop/others', { rules: [{ from: [{ source: { serviceAccounts: ['x'] } }] }] });
    const plain = call({ transport: 'plaintext', caller: undefined, count: 4 });
    expect(suggestFor([call(), plain]).replay.changes).toMatchObject([
      { caller: 'plaintext', becomes: 'denied', after: 'no ALLOW matches', calls: 4 },
    ]);
    expect(suggestFor([call()], {}, [allow]).besides).toEqual(['shop/others']);
  });

  test('whom it is for: a workload, a service, or by another selector; never by less than was meant', () => {
    const selectorOf = (request: Partial<SuggestRequest>) => suggestFor([call()], request).selector;
    expect(selectorOf({ to: orders.id })).toEqual({ app: 'orders' });
    expect(selectorOf({ to: 'shop/front' })).toEqual({ app: 'orders' });
    expect(() => suggestFor([call()], { to: 'shop/nobody' })).toThrow(
      'there is no workload or service shop/nobody',
    );
    expect(() => suggestFor([call()], { selector: { app: 'store' } })).toThrow('does not select all');
    const bare = mesh([workload('shop/orders', { labels: { 'pod-template-hash': 'x' } })]);
    expect(() => suggest([], bare, { to: 'shop/orders' })).toThrow('--selector');
  });

  test('what it was made of it lets in, whatever the records are', () => {
    let seed = 7;
    const next = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((seed / 2_147_483_648) * below);
    };
    const pick = <T>(...of: readonly [T, ...T[]]): T => of[next(of.length)] ?? of[0];
    for (let round = 0; round < 40; round += 1) {
      const records = Array.from({ length: 100 }, () => {
        const made = call({
          caller: id(pick('web', 'cron', 'app')),
          method: pick('GET', 'POST', 'GET', 'x', 'PATCH'),
          path: `/${[1, 2, 3]
            .slice(next(3))
            .map(() =>
              pick('a', 'b*', '%41', `${next(50)}`, 'order-1234', '{*}', 'é', "it's", '', '..', ':', '"#'),
            )
            .join('/')}`,
          count: 1 + next(20),
        });
        return next(4) === 0 ? { ...made, path: undefined, lacks: ['path' as const] } : made;
      });
      const { text = '', leftOut, callers } = suggestFor(records);
      const { policies, problems } = readPolicies(text, { source: 'T' });
      expect(problems).toEqual([]);
      const verdictOf = ({ caller, method = '', path = '' }: DecisionRecord) =>
        decide(
          policies,
          {
            http: { method, path, host: 'orders', headers: {} },
            sourcePrincipal: caller,
            sourceIp: '10.0.0.1',
            remoteIp: '10.0.0.1',
            destinationIp: '10.0.0.2',
            destinationPort: 80,
          },
          { trustDomain: 'example.org', trustDomainAliases: [], tcp: false, customVerdicts: new Map() },
        ).verdict;
      const allowed = records.filter((record) => record.lacks.length === 0 && verdictOf(record) === 'allow');
      const sum = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0);
      const proposed = sum(callers.map((each) => each.records));
      expect(proposed + sum(leftOut.map((each) => each.records))).toBe(records.length);
      expect(allowed.length).toBeGreaterThanOrEqual(proposed);
      expect(proposed).toBeGreaterThan(5);
    }
  });
});
