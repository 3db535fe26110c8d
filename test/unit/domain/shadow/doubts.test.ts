import { describe, expect, it } from 'vitest';
import { doubtsOf, obstaclesOf, type ShadowWorkload } from '../../../../src/domain/shadow/index.ts';

const workload = (rest: Partial<ShadowWorkload>): ShadowWorkload => ({
  workload: 'a',
  trial: '0123456789ab',
  refusesTrial: false,
  earlier: 0,
  standing: 'current',
  detail: undefined,
  since: undefined,
  each: 0,
  sampled: 0,
  different: 0,
  unknown: 0,
  last: undefined,
  complete: undefined,
  ...rest,
});

describe('what is in doubt about a candidate', () => {
  it.each([
    ['nothing, where its proxy has it and calls were seen', [{ each: 1 }], []],
    ['nothing, where calls were seen by sample', [{ sampled: 1 }], []],
    ['that no call was seen', [{}], [/^nothing was observed/]],
    [
      'a workload without calls beside one with',
      [{ each: 1 }, { workload: 'b' }],
      [/^of one workload no call.*: b$/],
    ],
    [
      'proxies that have not taken it',
      [{ each: 1 }, { workload: 'b', standing: 'pending' }, { workload: 'c', standing: 'refused' }],
      [/^the proxies of 2 workloads have not taken the candidate: b \(pending\), c \(refused\)$/],
    ],
    ['a proxy that is away', [{ each: 1 }, { workload: 'b', standing: 'absent' }], [/b \(absent\)$/]],
    [
      'what is too much for a proxy',
      [{ each: 1 }, { workload: 'b', standing: 'too-much' }],
      [/b \(too-much\)$/],
    ],
    ['nothing of a workload without a proxy', [{ each: 1 }, { workload: 'b', standing: 'none' }], []],
    ['nothing, where it decides otherwise for nobody', [], []],
    [
      'a workload whose policies others have changed, under which nothing was seen',
      [{ each: 1 }, { workload: 'b', earlier: 7 }],
      [/^since the policies that hold were changed, no call was observed: b$/],
    ],
    ['that alone, where it is the only one', [{ earlier: 7 }], [/^since the policies that hold/]],
    ['nothing of a workload whose calls came again', [{ each: 1, earlier: 7 }], []],
    ['nothing that is no doubt but an obstacle', [{ each: 1, standing: 'refused', refusesTrial: true }], []],
  ] as const)('%s', (_, workloads, expected) => {
    const doubts = doubtsOf(workloads.map(workload), []);
    expect(doubts).toHaveLength(expected.length);
    for (const [index, pattern] of expected.entries()) expect(doubts[index]).toMatch(pattern);
  });

  it('is also what a source that cannot be read may say by now', () => {
    const sources = [
      { name: 'files', problem: undefined },
      { name: 'kubernetes/a', problem: 'no answer' },
    ];
    expect(doubtsOf([workload({ each: 1 })], sources)).toEqual([
      'what kubernetes/a says may have been changed since: no answer',
    ]);
  });
});

describe('what stands against a candidate, whatever anybody wants', () => {
  it('is a proxy that refuses just that', () => {
    const other = workload({ workload: 'b', standing: 'refused', detail: 'a listener' });
    expect(obstaclesOf([workload({}), other])).toEqual([]);
    const refusing = workload({ standing: 'refused', detail: 'too large', refusesTrial: true });
    expect(obstaclesOf([refusing, other])).toEqual([
      'the proxy of one workload has refused the candidate: a (too large)',
    ]);
  });
});
