import { describe, expect, it } from 'vitest';
import type { AccessLogEntry, ShadowVerdict } from '../../../../src/domain/ports/index.ts';
import { judge, Observations } from '../../../../src/domain/shadow/index.ts';

const candidate = '0123456789ab';
const now = new Date(Date.UTC(2030, 0, 1));

const verdict = (outcome: ShadowVerdict['outcome'], rest: Partial<ShadowVerdict> = {}): ShadowVerdict => ({
  candidate,
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
  const add = (observations: Observations, ...calls: readonly Partial<AccessLogEntry>[]) => {
    for (const each of calls) observations.add('files/shop/orders', call(each), now);
    return observations.observed();
  };

  it('count what is told of each, what by sample, and what differs; and nothing of another candidate', () => {
    const seen = add(
      new Observations(candidate, now),
      { shadow: verdict('allowed'), sampled: true },
      { shadow: verdict('denied'), path: '/a' },
      { shadow: verdict('denied'), path: '/b' },
      { shadow: verdict('allowed', { by: { namespace: 'shop', name: 'new', rule: 1 } }), decision: 'denied' },
      { shadow: verdict('unknown'), decision: 'denied', reason: 'rbac_access_denied_matched_policy[x]' },
      { shadow: verdict('denied', { candidate: 'ba9876543210' }) },
      {},
    );
    expect(seen.byWorkload.get('files/shop/orders')).toEqual({
      each: 4,
      sampled: 1,
      different: 3,
      unknown: 1,
      last: now,
    });
    expect(
      seen.differences.map(({ becomes, count, by, examples }) => [becomes, count, by?.name, examples.length]),
    ).toEqual([
      ['denied', 2, undefined, 2],
      ['allowed', 1, 'new', 1],
    ]);
    expect(seen.more).toBe(0);
  });

  it('are told apart by caller and rule, and keep the last few examples', () => {
    const denied = { shadow: verdict('denied') };
    const paths = ['/1', '/2', '/3', '/4', `/${'x'.repeat(2_000)}`];
    const seen = add(
      new Observations(candidate, now),
      ...paths.map((path) => ({ ...denied, path })),
      { ...denied, callerId: undefined },
      { ...denied, policy: 'shop/live', rule: 2 },
    );
    expect(seen.differences.map(({ count }) => count)).toEqual([5, 1, 1]);
    expect(seen.differences[0]?.examples.map(({ path = '' }) => path.length)).toEqual([2, 2, 256]);
  });

  it('hold no more than a bounded number of differences, and count the others', () => {
    const observations = new Observations(candidate, now);
    for (let index = 0; index < 500; index += 1)
      add(observations, { shadow: verdict('denied'), callerId: `spiffe://example.org/ns/a/sa/${index}` });
    const seen = observations.observed();
    expect(seen.differences).toHaveLength(200);
    expect(seen.more).toBe(300);
    expect(seen.byWorkload.get('files/shop/orders')?.different).toBe(500);
    for (let index = 0; index < 20; index += 1)
      for (let caller = 0; caller < 200; caller += 1)
        observations.add(
          `files/shop/${index}`,
          call({ shadow: verdict('denied'), callerId: `spiffe://example.org/ns/a/sa/${caller}` }),
          now,
        );
    expect(observations.observed().differences).toHaveLength(2_000);
  });
});
