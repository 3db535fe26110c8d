import { describe, expect, it } from 'vitest';
import { doubtsOf, type ShadowWorkload } from '../../../../src/domain/shadow/index.ts';

const workload = (rest: Partial<ShadowWorkload>): ShadowWorkload => ({
  workload: 'a',
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
  ] as const)('%s', (_, workloads, expected) => {
    const doubts = doubtsOf(workloads.map(workload));
    expect(doubts).toHaveLength(expected.length);
    for (const [index, pattern] of expected.entries()) expect(doubts[index]).toMatch(pattern);
  });
});
