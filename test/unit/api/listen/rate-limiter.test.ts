import { describe, expect, it } from 'vitest';
import { createRateLimiter } from '../../../../src/api/listen/rate-limiter.ts';

describe('rate limiter', () => {
  it.each<[string, { perSecond: number; burst: number }, readonly number[], readonly boolean[]]>([
    ['lets a burst through', { perSecond: 1, burst: 2 }, [0, 0, 0], [true, true, false]],
    [
      'gives a token back in its time',
      { perSecond: 2, burst: 1 },
      [0, 499, 500, 500],
      [true, false, true, false],
    ],
    [
      'saves up no more than a burst',
      { perSecond: 10, burst: 2 },
      [0, 60_000, 60_000, 60_000],
      [true, true, true, false],
    ],
    ['a refusal costs nothing', { perSecond: 1, burst: 1 }, [0, 900, 990, 1000], [true, false, false, true]],
    ['slow rates add up', { perSecond: 0.1, burst: 1 }, [0, 5000, 9999, 10_000], [true, false, false, true]],
  ])('%s', (_name, rate, times, expected) => {
    const limiter = createRateLimiter({ ...rate, keys: 8 });
    expect(times.map((now) => limiter.take('a', now))).toEqual(expected);
  });

  it('counts each key by itself', () => {
    const limiter = createRateLimiter({ perSecond: 1, burst: 1, keys: 8 });
    expect(['a', 'b', 'a', 'b'].map((key) => limiter.take(key, 0))).toEqual([true, true, false, false]);
  });

  it('forgets the key that was unused for longest, and only that', () => {
    const limiter = createRateLimiter({ perSecond: 1, burst: 1, keys: 2 });
    const takes = ['a', 'b', 'a', 'c', 'a', 'b'].map((key) => limiter.take(key, 0));
    // With `c`, `b` is forgotten, for `a` was used (and refused) after it.
    expect(takes).toEqual([true, true, false, true, false, true]);
  });
});
