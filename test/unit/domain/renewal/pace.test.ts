import { describe, expect, test } from 'vitest';
import {
  expectedEnd,
  firstPace,
  followedTime,
  leastOut,
  mostOut,
  nextPace,
  type PaceSeen,
} from '../../../../src/domain/renewal/pace.ts';

const atEase: PaceSeen = { out: 16, followedLately: 1000, waiting: true, busy: false };

describe('how many orders are out', () => {
  test.each<[string, number, Partial<PaceSeen>, number]>([
    ['more while the limit is what holds back', 32, { out: 32 }, 48],
    ['as before when agents are slow to follow, and few are left', 40, { out: 3, waiting: false }, 40],
    ['never more than is of use', 200, { out: 200 }, mostOut],
    ['no more than were followed of late', 64, { out: 64, followedLately: 50 }, 50],
    [
      'the first ones until it is known how they are followed',
      32,
      { out: 32, followedLately: undefined },
      32,
    ],
    ['a quarter less when the server is busy', 64, { out: 64, busy: true }, 48],
    ['never none', 64, { out: 64, followedLately: 0, busy: true }, leastOut],
  ])('%s', (_name, limit, seen, next) => {
    expect(nextPace({ limit }, { ...atEase, ...seen }).limit).toBe(next);
  });

  /** A server that signs so many each half second, each in turn. @returns how long an order takes in the end, milliseconds */
  const settle = (signed: (look: number) => number) => {
    let pace = firstPace;
    let out = 0;
    const followed: number[] = [];
    const took: number[] = [];
    for (let look = 0; look < 100; look++) {
      out = Math.max(out, pace.limit);
      followed.push(Math.min(out, signed(look)));
      took.push((out / signed(look)) * 500);
      out -= followed.at(-1) ?? 0;
      const lately = followed.slice(-3).reduce((sum, count) => sum + count, 0);
      const followedLately = look < 2 ? undefined : lately;
      pace = nextPace(pace, { out: pace.limit, followedLately, waiting: true, busy: false });
    }
    return took;
  };

  test.each([
    ['fast', 1000],
    ['slow', 25],
  ])('a %s server follows each within the time it is to', (_name, rate) => {
    for (const took of settle(() => rate).slice(20)) expect(took).toBeLessThanOrEqual(followedTime * 1.1);
  });

  test('a server that signs seven a second has none wait longer than half of an agent’s deadline', () => {
    for (const took of settle(() => 3.5).slice(20)) expect(took).toBeLessThanOrEqual(5000);
  });

  test('a server that becomes slow is followed down, and one that becomes fast is not held back', () => {
    for (const took of settle((look) => (look < 50 ? 100 : 25)).slice(75))
      expect(took).toBeLessThanOrEqual(1650);
    const faster = settle((look) => (look < 50 ? 25 : 100)).slice(75);
    // As many as it signs are out, or it would idle.
    for (const took of faster) expect(took).toBeGreaterThan(500);
  });
});

test('the end is told from the rate, and not without one', () => {
  const now = new Date(0);
  expect(expectedEnd(100, 50, now)).toEqual(new Date(2000));
  expect(expectedEnd(0, 0, now)).toEqual(now);
  expect(expectedEnd(1, 0, now)).toBeUndefined();
});
