import { describe, expect, it } from 'vitest';
import {
  type Condition,
  conditionsOf,
  type Standing,
} from '../../../../../src/adapters/kubernetes/policy-status/conditions.ts';
import { dueAt, fast, slow } from '../../../../../src/adapters/kubernetes/policy-status/due.ts';
import type { PolicyRecord } from '../../../../../src/adapters/kubernetes/policy-status/record.ts';
import { policyHash, readPolicy } from '../../../../../src/domain/policy/index.ts';

const source = 'kubernetes/test';
const at = (generation: number, from = source, spec: object = {}) => {
  const { policy } = readPolicy(
    {
      apiVersion: 'security.istio.io/v1',
      kind: 'PeerAuthentication',
      metadata: { namespace: 'shop', name: 'default', generation },
      spec,
    },
    { source: from },
  );
  return policy ?? expect.fail('no policy');
};
const record = (over: Partial<PolicyRecord> = {}): PolicyRecord => ({
  apiVersion: 'security.istio.io/v1',
  namespace: 'shop',
  name: 'default',
  uid: 'u',
  resourceVersion: '1',
  generation: 3,
  hash: policyHash(at(3)),
  problems: [],
  stored: [],
  foreign: [],
  ...over,
});
const standing = (over: Partial<Standing['status']> = {}): Standing => {
  const status = { policy: at(3), workloads: 2, current: 3, pending: 0, refusals: [], shadowed: [], ...over };
  return { status, hash: policyHash(status.policy) };
};
const broken = { hash: undefined, problems: ['spec.mtls: is bad; mend it'] };
const short = (conditions: readonly Condition[] | undefined) =>
  conditions?.map(
    ({ type, status, reason, observedGeneration }) => `${type} ${status} ${reason} ${observedGeneration}`,
  );

describe('the conditions of a policy', () => {
  it.each<[string, Partial<PolicyRecord>, Standing | undefined, string[] | undefined, string]>([
    [
      'all have',
      {},
      standing(),
      ['Accepted True Accepted 3', 'Programmed True Programmed 3'],
      '3 of 3 proxies accepted it',
    ],
    [
      'some have',
      {},
      standing({ pending: 2 }),
      ['Accepted True Accepted 3', 'Programmed False Pending 3'],
      '3 of 5 proxies accepted it; 2 did not answer yet',
    ],
    [
      'one refuses',
      {},
      standing({
        current: 0,
        refusals: [
          { workload: 'b', error: 'no' },
          { workload: 'a', error: 'ne\u001B\nver' },
        ],
      }),
      ['Accepted True Accepted 3', 'Programmed False Refused 3'],
      '0 of 2 proxies accepted it; a refuses what it was sent: ne ver; b refuses what it was sent: no',
    ],
    [
      'no proxy is connected for',
      {},
      standing({ current: 0 }),
      ['Accepted True Accepted 3', 'Programmed Unknown NoProxies 3'],
      'it holds for 2 workloads, of which no proxy is connected',
    ],
    [
      'no workload is selected by',
      {},
      standing({ workloads: 0, current: 0 }),
      ['Accepted True Accepted 3', 'Programmed Unknown NoWorkloads 3'],
      'it holds for no workload',
    ],
    ['the control plane has not taken', { hash: 'other' }, standing(), undefined, ''],
    ['the control plane does not know', {}, undefined, undefined, ''],
    [
      'was never good',
      broken,
      undefined,
      ['Accepted False Invalid 3', 'Programmed False Invalid 3'],
      'nothing of it has ever been in force',
    ],
    [
      'was good once',
      broken,
      standing({ policy: at(2) }),
      ['Accepted False Invalid 3', 'Programmed True Programmed 2'],
      'generation 2, its last good form: 3 of 3 proxies accepted it',
    ],
    [
      'another source has too',
      {},
      standing({ policy: at(0, 'files', { mtls: { mode: 'DISABLE' } }) }),
      ['Accepted False Shadowed 3', 'Programmed False Shadowed 3'],
      'the object of this name in files counts in its place',
    ],
    [
      'another source has too, and that says the same',
      {},
      standing({ policy: at(0, 'files') }),
      ['Accepted True Accepted 3', 'Programmed True Programmed 3'],
      '3 of 3 proxies accepted it',
    ],
    [
      'says the same by another generation',
      { generation: 4 },
      standing(),
      ['Accepted True Accepted 4', 'Programmed True Programmed 4'],
      '3 of 3 proxies accepted it',
    ],
  ])('that %s', (_, given, stands, expected, message) => {
    const conditions = conditionsOf(record(given), stands, source);
    expect(short(conditions)).toEqual(expected);
    expect(conditions?.at(-1)?.message ?? '').toBe(message);
  });

  it('say what is wrong, and are never without end', () => {
    const problems = Array.from({ length: 500 }, (_, index) => `spec.x${index}: ${'😀'.repeat(60)}`);
    const [accepted] = conditionsOf(record({ hash: undefined, problems }), undefined, source) ?? [];
    expect(accepted?.message).toMatch(/^spec\.x0: /);
    expect(accepted?.message.length).toBeLessThanOrEqual(2048);
    const refusals = Array.from({ length: 500 }, (_, index) => ({
      workload: `w${index}`,
      error: 'e'.repeat(5000),
    }));
    const [, programmed] = conditionsOf(record(), standing({ refusals }), source) ?? [];
    expect(programmed?.message).toMatch(/; and 497 more$/);
    expect(programmed?.message.length).toBeLessThanOrEqual(2048);
  });
});

describe('when conditions are written', () => {
  const conditions = (over: Partial<Condition> = {}): readonly Condition[] => [
    { type: 'Accepted', status: 'True', reason: 'Accepted', message: 'm', observedGeneration: 1 },
    {
      type: 'Programmed',
      status: 'True',
      reason: 'Programmed',
      message: 'm',
      observedGeneration: 1,
      ...over,
    },
  ];
  const written = (wanted = conditions(), stored = wanted) => ({ at: 10_000, wanted, stored });
  const pending = { status: 'False', reason: 'Pending' } as const;

  it.each<[string, Parameters<typeof dueAt>, number | undefined]>([
    ['not when they are there', [conditions(), conditions(), undefined, 50_000], undefined],
    ['at once where there are none', [conditions(), [], undefined, 50_000], 50_000],
    [
      'at once for another generation',
      [conditions({ observedGeneration: 2 }), conditions(), written(), 50_000],
      50_000,
    ],
    [
      'at once for a refusal',
      [conditions({ status: 'False', reason: 'Refused' }), conditions(), written(), 50_000],
      50_000,
    ],
    [
      'at once when all is well again',
      [conditions(), conditions(pending), written(conditions(pending)), 50_000],
      50_000,
    ],
    [
      'never twice in a moment',
      [conditions(), conditions(pending), written(conditions(pending)), 10_100],
      10_000 + fast,
    ],
    [
      'late for a proxy that has just come',
      [conditions(pending), conditions(), written(), 50_000],
      50_000 + slow,
    ],
    [
      'late for another number',
      [conditions({ message: 'n' }), conditions(), written(), 50_000],
      50_000 + slow,
    ],
    [
      'not again where the API server drops a field',
      [
        conditions(),
        conditions({ observedGeneration: 0 }),
        written(conditions(), conditions({ observedGeneration: 0 })),
        50_000,
      ],
      undefined,
    ],
    [
      'late where somebody else wrote over them',
      [conditions(), conditions({ message: 'mine' }), written(), 50_000],
      10_000 + slow,
    ],
    ['late where somebody else took them away', [conditions(), [], written(), 50_000], 10_000 + slow],
  ])('%s', (_, given, expected) => {
    expect(dueAt(...given)).toBe(expected);
  });
});
