import { describe, expect, it } from 'vitest';
import type { AccessLogEntry, ShadowVerdict } from '../../../../src/domain/ports/index.ts';
import { judge, Observations } from '../../../../src/domain/shadow/index.ts';

const trial = '0123456789ab';
const now = new Date(Date.UTC(2030, 0, 1));

const verdict = (outcome: ShadowVerdict['outcome'], rest: Partial<ShadowVerdict> = {}): ShadowVerdict => ({
  trial,
  outcome,
  step: 'ALLOW',
  by: undefined,
  ...rest,
});

const call = (rest: Partial<AccessLogEntry>): AccessLogEntry => ({
  workload: 'files/shop/orders',
  port: 8080,
  transport: 'mtls',
  callerId: 'spiffe://example.org/ns/shop/sa/web',
  callerAddress: '10.0.0.7',
  method: 'GET',
  path: '/orders',
  decision: 'allowed',
  unproved: false,
  policy: undefined,
  rule: undefined,
  reason: undefined,
  at: now,
  sampled: false,
  first: true,
  ...rest,
});

describe('what becomes of a call under a candidate', () => {
  it.each([
    ['allowed', undefined, 'allowed', 'same'],
    ['allowed', undefined, 'denied', 'denied'],
    ['unserved', undefined, 'denied', 'denied'],
    ['unserved', undefined, 'allowed', 'same'],
    ['denied', 'rbac_access_denied_matched_policy[x]', 'denied', 'same'],
    ['denied', 'rbac_access_denied_matched_policy[x]', 'allowed', 'allowed'],
    // Refused before the candidate was asked: by the guard of paths, which it may have or not.
    ['denied', 'rbac_access_denied_matched_policy[ambiguous-path]', 'unknown', 'unknown'],
    // By no policy: the candidate has the same tokens and authorizers.
    ['denied', 'jwt_authn_access_denied{Jwt_is_expired}', 'unknown', 'same'],
    ['denied', 'ext_authz_denied', 'unknown', 'same'],
    ['allowed', undefined, 'unknown', 'same'],
  ] as const)('%s (%s), where it says %s: %s', (decision, reason, outcome, expected) => {
    expect(judge({ decision, reason }, { outcome })).toBe(expected);
  });
});

describe('observations', () => {
  const workload = 'files/shop/orders';
  const add = (observations: Observations, ...calls: readonly Partial<AccessLogEntry>[]) => {
    for (const each of calls) observations.add(workload, trial, call(each), now);
  };
  const counted = (...calls: readonly Partial<AccessLogEntry>[]) => {
    const observations = new Observations();
    add(observations, ...calls);
    const [tally = expect.fail('nothing was counted')] = observations.take();
    return tally;
  };

  it('count what is told of each, what by sample, and what differs; and nothing of another trial', () => {
    const seen = counted(
      { shadow: verdict('allowed'), sampled: true },
      { shadow: verdict('denied'), path: '/a' },
      { shadow: verdict('denied'), path: '/b' },
      { shadow: verdict('allowed', { by: { namespace: 'shop', name: 'new', rule: 1 } }), decision: 'denied' },
      { shadow: verdict('unknown'), decision: 'denied', reason: 'rbac_access_denied_matched_policy[x]' },
      { shadow: verdict('denied', { trial: 'ba9876543210' }) },
      {},
    );
    expect(seen).toMatchObject({ workload, trial, each: 4, sampled: 1, different: 3, unknown: 1, last: now });
    expect(
      seen.differences.map(({ becomes, count, by, examples }) => [becomes, count, by?.name, examples.length]),
    ).toEqual([
      ['denied', 2, undefined, 2],
      ['allowed', 1, 'new', 1],
    ]);
    expect([seen.more, seen.earlier]).toEqual([0, 0]);
  });

  it('are told apart by caller and rule, and keep the last few examples', () => {
    const denied = { shadow: verdict('denied') };
    const paths = ['/1', '/2', '/3', '/4', `/${'x'.repeat(2_000)}`];
    const seen = counted(
      ...paths.map((path) => ({ ...denied, path })),
      { ...denied, callerId: undefined },
      { ...denied, policy: 'shop/live', rule: 2 },
    );
    expect(seen.differences.map(({ count }) => count)).toEqual([5, 1, 1]);
    expect(seen.differences[0]?.examples.map(({ path = '' }) => path.length)).toEqual([2, 2, 256]);
  });

  it('are taken once, and put back where they cannot be written', () => {
    const observations = new Observations();
    add(observations, { shadow: verdict('denied') });
    const taken = observations.take();
    expect(observations.isEmpty).toBe(true);
    add(observations, { shadow: verdict('denied') });
    for (const tally of taken) observations.put(tally);
    expect(observations.take()).toMatchObject([{ each: 2, differences: [{ count: 2 }] }]);
  });

  it('hold no more than a bounded number of differences, and count the others', () => {
    const observations = new Observations();
    const flood = (at: string, callers: number) => {
      for (let caller = 0; caller < callers; caller += 1)
        observations.add(
          at,
          trial,
          call({ shadow: verdict('denied'), callerId: `spiffe://example.org/ns/a/sa/${caller}` }),
          now,
        );
    };
    flood(workload, 500);
    for (let index = 0; index < 20; index += 1) flood(`files/shop/${index}`, 200);
    const [seen, ...others] = observations.take();
    expect(seen).toMatchObject({ more: 300, different: 500 });
    expect(seen?.differences).toHaveLength(200);
    expect(others.flatMap(({ differences }) => differences)).toHaveLength(1_800);
    expect(others.at(-1)?.more).toBe(200);
    // What was taken is not in the way of what comes.
    flood(workload, 1);
    expect(observations.take()).toMatchObject([{ more: 0, different: 1 }]);
  });
});
