import { describe, expect, test } from 'vitest';
import {
  expectedEnd,
  firstPace,
  leastOut,
  mostOut,
  nextPace,
  type PaceSeen,
} from '../../../../src/domain/renewal/pace.ts';

const atEase: PaceSeen = { out: 16, followed: 0, waiting: true, busy: false };

describe('how many orders are out', () => {
  test.each<[string, number, Partial<PaceSeen>, number]>([
    ['more while the limit is what holds back', 16, {}, 24],
    ['more when all that were out have followed', 16, { out: 0, followed: 16 }, 24],
    [
      'as before when agents are slow to follow, and few are left to tell',
      16,
      { out: 3, waiting: false },
      16,
    ],
    ['never more than is of use', 200, { out: 200 }, mostOut],
    ['a quarter less when the server is busy', 64, { out: 64, followed: 60, busy: true }, 48],
    ['what it followed when it is much behind', 64, { out: 64, followed: 20, busy: true }, 20],
    ['never none', 5, { out: 5, busy: true }, leastOut],
  ])('%s', (_name, limit, seen, next) => {
    expect(nextPace({ limit }, { ...atEase, ...seen }).limit).toBe(next);
  });

  /** A server that signs so many a look, each in turn, and is busy with more than its work of one look. */
  const settle = (signed: (look: number) => number) => {
    let pace = firstPace;
    const limits: number[] = [];
    let out = 0;
    for (let look = 0; look < 60; look++) {
      out = Math.max(out, pace.limit);
      const followed = Math.min(out, signed(look));
      out -= followed;
      pace = nextPace(pace, { out, followed, waiting: true, busy: out > 0.5 * signed(look) });
      limits.push(pace.limit);
    }
    return limits;
  };

  test('settle near what the server signs, and follow it down', () => {
    const limits = settle((look) => (look < 30 ? 80 : 20));
    for (const limit of limits.slice(20, 30)) expect(Math.abs(limit - 100)).toBeLessThanOrEqual(45);
    for (const limit of limits.slice(45)) expect(limit).toBeLessThanOrEqual(40);
  });
});

test('the end is told from the rate, and not without one', () => {
  const now = new Date(0);
  expect(expectedEnd(100, 50, now)).toEqual(new Date(2000));
  expect(expectedEnd(0, 0, now)).toEqual(now);
  expect(expectedEnd(1, 0, now)).toBeUndefined();
});
