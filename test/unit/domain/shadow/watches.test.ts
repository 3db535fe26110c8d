import { describe, expect, it } from 'vitest';
import {
  addWatch,
  countingOf,
  type ShadowWatch,
  watchInterval,
} from '../../../../src/domain/shadow/index.ts';

const at = (minute: number) => new Date(Date.UTC(2030, 0, 1, 12, minute));
const watch = (id: string, since: number, until: number, closed = true): ShadowWatch => ({
  id,
  since: at(since),
  until: at(until),
  closed,
});
const lostAt = (minute: number) => new Date(at(minute).getTime() + watchInterval);

describe('when calls were counted', () => {
  it.each([
    ['not at all', [], undefined, [], undefined],
    ['by one server, which goes on', [watch('a', 0, 60, false)], 0, [], undefined],
    ['with a pause', [watch('a', 0, 5), watch('b', 7, 60, false)], 0, [[5, 7]], undefined],
    [
      'on and on, where another server went on',
      [watch('a', 0, 5), watch('b', 4, 60, false), watch('c', 7, 60, false)],
      0,
      [],
      undefined,
    ],
    [
      'but for what a server had when it was killed',
      [watch('a', 0, 5, false), watch('b', 7, 60)],
      0,
      [[5, 7]],
      lostAt(5),
    ],
    [
      'unbroken since the last of two such',
      [watch('a', 0, 5, false), watch('b', 1, 9, false), watch('c', 2, 60, false)],
      0,
      [],
      lostAt(9),
    ],
  ] as const)('%s', (_, watches, since, gaps, unbrokenSince) => {
    expect(countingOf(watches, at(60))).toEqual({
      since: since === undefined ? undefined : at(since),
      gaps: gaps.map(([from, until]) => ({ from: at(from), until: at(until) })),
      unbrokenSince,
    });
  });
});

describe('who has counted', () => {
  it('is kept in the order of their starts, and the word that came last of each', () => {
    const first = addWatch([], watch('b', 3, 4, false));
    const second = addWatch(first, watch('a', 1, 2));
    expect(addWatch(second, watch('b', 3, 9))).toEqual([watch('a', 1, 2), watch('b', 3, 9)]);
  });

  it('is bounded: of more, the two first become one', () => {
    let watches: readonly ShadowWatch[] = [];
    for (let index = 0; index < 60; index += 1) watches = addWatch(watches, watch(`${index}`, index, index));
    expect(watches).toHaveLength(50);
    expect(watches[0]).toEqual({ ...watch('10', 10, 10), since: at(0) });
  });
});
