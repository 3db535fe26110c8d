import { describe, expect, test } from 'vitest';
import { type Policy, replay, sampleWords, withPolicies } from '../../../../../src/domain/policy/index.ts';
import type { DecisionRecord } from '../../../../../src/domain/ports/index.ts';
import { decisionRecord } from '../../../../contract/store-samples.ts';
import { mesh, peer, policy, ports, workload } from '../mesh.ts';

const orders = workload('shop/orders', { ports: ports([80, 'http'], [90, 'tcp']) });
const call = (changes: Partial<DecisionRecord> = {}) => decisionRecord({ workload: orders.id, ...changes });
const cron = 'spiffe://example.org/ns/shop/sa/cron';

const nobody = { from: [{ source: { serviceAccounts: ['nobody'] } }] };
const openDoor = policy('shop/open', { action: 'ALLOW', rules: [{}] });
const readers = policy('shop/readers', { rules: [{ to: [{ operation: { methods: ['GET'] } }] }] });
const noCron = policy('shop/no-cron', {
  action: 'DENY',
  rules: [{ to: [{ operation: { paths: ['/x'] } }] }, { from: [{ source: { serviceAccounts: ['cron'] } }] }],
});

function run(
  records: readonly DecisionRecord[],
  candidate: readonly Policy[],
  present: readonly Policy[] = [],
) {
  const before = mesh([orders, workload('shop/capturing', { proxy: 'capture' })], present);
  return replay(records, before, withPolicies(before, candidate));
}

test.each([
  [
    12,
    1,
    /^12 of these .* \(1 in a hundred\): they stand for about 1200, .* Set mesh\.accessLog\.sample .* to 100 /,
  ],
  [12, 50, /they stand for about 24,/],
  [12, undefined, /by sample: they stand for more,/],
  [12, 0, /are not told of at all .* Set mesh\.accessLog\.sample/],
  [0, 1, /by sample \(1 in a hundred\), and none is among these\. Set /],
  [0, undefined, undefined],
  [12, 100, undefined],
])('of %i calls by a sample of %s is said how to see all', (calls, sample, words) => {
  const said = sampleWords({ calls, records: 1 }, sample);
  if (words) expect(said).toMatch(words);
  else expect(said).toBeUndefined();
});

describe('records that tell by which rules they were decided', () => {
  const versionsOf = (policies: readonly Policy[]) => new Set([policies.length === 0 ? 'none' : 'some']);
  const told = (...records: DecisionRecord[]) => {
    const world = mesh([orders], [readers]);
    return replay(records, world, withPolicies(world, [noCron]), versionsOf);
  };

  test('are told apart where the rules have changed since, and by the others nothing is said', () => {
    const { decidedByOthers, changes, mismatches } = told(
      call({ caller: cron, rules: 'some', count: 1 }),
      call({ caller: cron, rules: 'none', count: 2 }),
      call({ method: 'POST', rules: 'none', count: 4 }),
      call({ method: 'POST', path: '/other', rules: 'none', count: 8 }),
      call({ count: 16 }),
    );
    expect(decidedByOthers).toEqual({ calls: 14, records: 3 });
    expect(changes.map(({ calls, rules }) => [calls, rules])).toEqual([[3, 'unknown']]);
    expect(mismatches.map(({ calls, rules }) => [calls, rules])).toEqual([[12, 'changed']]);
  });

  test('are not looked at where nobody asks', () => {
    const world = mesh([orders], [readers]);
    expect(replay([call({ rules: 'none' })], world, world).decidedByOthers.calls).toBe(0);
  });
});

describe('replay', () => {
  test('says who would be denied, by which rule, with counts and examples', () => {
    const report = run(
      [
        call({ count: 5 }),
        call({ caller: cron, count: 2, path: '/1' }),
        call({ caller: cron, count: 9, path: '/2', sampled: false }),
        call({ caller: cron, count: 1, path: '/3' }),
        call({ caller: cron, count: 3, path: '/4' }),
      ],
      [noCron],
    );
    expect(report).toMatchObject({
      total: { records: 5, calls: 20 },
      sampled: { records: 4, calls: 11 },
      unchanged: { records: 1, calls: 5 },
      undecided: [],
      mismatches: [],
    });
    expect(report.changes).toMatchObject([
      {
        callee: 'shop/orders',
        port: 80,
        caller: cron,
        becomes: 'denied',
        before: 'no policy decides it',
        after: 'DENY shop/no-cron, rule 1',
        records: 4,
        calls: 15,
      },
    ]);
    expect(report.changes[0]?.examples.map(({ record }) => record.path)).toEqual(['/2', '/4', '/1']);
  });

  test('says who would be let in', () => {
    const report = run(
      [call({ decision: 'denied', refusedBy: 'policies', policy: 'shop/no-cron', rule: 1, caller: cron })],
      [policy('shop/no-cron', { action: 'DENY', rules: [nobody] })],
      [noCron],
    );
    expect(report.changes).toMatchObject([
      { becomes: 'allowed', before: 'DENY shop/no-cron, rule 1', after: 'no policy decides it' },
    ]);
  });

  test('the same for all that the present policies decide', () => {
    const report = run([call()], [policy('shop/other', { action: 'DENY', rules: [nobody] })], [openDoor]);
    expect(report).toMatchObject({ unchanged: { calls: 5 }, changes: [], mismatches: [] });
  });

  test('what was recorded otherwise than the present policies decide is no change', () => {
    const report = run([call({ caller: cron })], [openDoor], [noCron]);
    expect(report.changes).toEqual([]);
    expect(report.mismatches).toMatchObject([{ before: 'DENY shop/no-cron, rule 1', calls: 5 }]);
  });

  test('what cannot be told is apart, by what is missing', () => {
    const header = (name: string, value: string) =>
      policy(`shop/${name}`, {
        action: 'DENY',
        rules: [{ when: [{ key: `request.headers[${name}]`, values: [value] }] }],
      });
    const report = run(
      [call({ count: 1 }), call({ count: 2, path: undefined, lacks: ['path'] })],
      [
        header('x-b', '1'),
        header('x-a', '1'),
        policy('shop/p', { action: 'DENY', rules: [{ to: [{ operation: { paths: ['/p'] } }] }] }),
      ],
    );
    expect(report.changes).toEqual([]);
    expect(report.undecided).toMatchObject([
      { lacks: ['path', 'request.headers[x-a]', 'request.headers[x-b]'], calls: 2 },
      { lacks: ['request.headers[x-a]', 'request.headers[x-b]'], calls: 1 },
    ]);
  });

  test('a workload that is gone is replaced by one of the same account and labels, or counted apart', () => {
    const pod = (name: string, changes: Partial<DecisionRecord> = {}) =>
      call({ workload: `test/shop/${name}`, caller: cron, ...changes });
    const report = run(
      [
        pod('orders-5d4'),
        pod('else', { labels: { app: 'else' } }),
        pod('other-account', { serviceAccount: 'other' }),
        pod('unknown', { serviceAccount: undefined }),
        call({ port: 81 }),
      ],
      [noCron],
    );
    expect(report.changes).toMatchObject([{ becomes: 'denied', records: 1 }]);
    expect(report.gone).toMatchObject({
      records: 4,
      callees: ['test/shop/else', 'test/shop/orders', 'test/shop/other-account', 'test/shop/unknown'],
    });
  });

  test('connections of bytes, and ports that capture brings', () => {
    const tcp = { method: undefined, path: undefined, host: undefined };
    const captured = { workload: 'test/shop/capturing', port: 0, lacks: ['port' as const] };
    const report = run([call({ port: 90, ...tcp }), call({ ...captured, ...tcp })], [readers]);
    expect(report.changes).toMatchObject([
      { callee: 'shop/capturing', port: 0, becomes: 'denied' },
      { callee: 'shop/orders', port: 90, becomes: 'denied', after: 'no ALLOW matches' },
    ]);
  });

  describe('what an overfull workload has kept neither caller nor port of', () => {
    const lacks = ['caller', 'address', 'port', 'path', 'method', 'host'] as const;
    const nothing = {
      port: 0,
      caller: undefined,
      addresses: [],
      method: undefined,
      path: undefined,
      host: undefined,
    };
    const folded = (to: string) => call({ ...nothing, workload: `test/shop/${to}`, lacks });
    const of = (to: string, present: readonly Policy[] = []) => {
      const names = {
        orders: [[80, 'http']],
        both: [
          [80, 'http'],
          [90, 'tcp'],
        ],
        bytes: [[90, 'tcp']],
      } as const;
      const all = Object.entries(names).map(([name, each]) =>
        workload(`shop/${name}`, { ports: ports(...each) }),
      );
      const world = mesh(all, present);
      return replay([folded(to)], world, withPolicies(world, [readers]));
    };

    test('is read as all ports are', () => {
      expect(of('orders').undecided).toMatchObject([{ lacks: ['method'] }]);
      expect(of('bytes').changes).toMatchObject([{ becomes: 'denied' }]);
    });

    test('is undecided where ports are read, or take connections, in different ways', () => {
      expect(of('both').undecided).toMatchObject([{ lacks: ['port'] }]);
      const mode = peer('shop/orders', 'STRICT', 'bytes', { portLevelMtls: { 90: { mode: 'PERMISSIVE' } } });
      expect(of('bytes', [mode]).undecided).toMatchObject([{ lacks: ['port'] }]);
    });
  });

  test('modes: by policies, and by an order', () => {
    const plain = call({ transport: 'plaintext', caller: undefined });
    expect(run([plain], [peer('shop/strict', 'STRICT')]).changes).toMatchObject([
      { caller: 'plaintext', becomes: 'denied', after: 'mutual TLS is demanded' },
    ]);
    const ordered = { ...mesh([orders]), strict: new Set([orders.id]) };
    const refused = { ...plain, decision: 'denied', refusedBy: 'connection' } as const;
    expect(replay([refused], ordered, ordered).unchanged.records).toBe(1);
    expect(
      run([plain], [peer('shop/strict', 'STRICT')], [peer('shop/off', 'DISABLE', 'orders')]).unchanged
        .records,
    ).toBe(1);
    expect(run([plain], [peer('shop/off', 'STRICT')], [peer('shop/off', 'DISABLE')]).undecided).toMatchObject(
      [{ lacks: ['how the caller connects'] }],
    );
  });

  test('tokens: by the same rules what was good is good; by others nothing is known', () => {
    const rules = (issuer: string) =>
      policy(
        'shop/tokens',
        { jwtRules: [{ issuer, jwksUri: 'https://keys.example' }] },
        { kind: 'RequestAuthentication' },
      );
    const accounts = rules('https://a.example');
    const denied = call({ decision: 'denied', refusedBy: 'policies', caller: cron });
    const opened = policy('shop/no-cron', { action: 'DENY', rules: [nobody] });
    expect(run([denied], [opened], [noCron, accounts]).changes).toMatchObject([{ becomes: 'allowed' }]);
    expect(run([denied], [opened, rules('https://b.example')], [noCron, accounts]).undecided).toMatchObject([
      { lacks: ['token'] },
    ]);
    const bad = call({ decision: 'denied', refusedBy: 'token' });
    expect(run([bad], [openDoor], [accounts]).unchanged.records).toBe(1);
  });
});
