import { describe, expect, test } from 'vitest';
import { boundedTimeout, pauseBeforeNext } from '../../../../src/domain/jwks/schedule.ts';

const minutes = 60_000;
const drawing = (fraction: number) => ({ bytes: () => new Uint8Array(), fraction: () => fraction });

describe('the pause before the next look', () => {
  test.each([
    { failures: 0, least: 18 * minutes, most: 22 * minutes },
    { failures: 1, least: 500, most: 1_500 },
    { failures: 2, least: 500, most: 2_500 },
    { failures: 5, least: 500, most: 16_500 },
    { failures: 9, least: 500, most: 256_500 },
    { failures: 10, least: 500, most: 300_500 },
    { failures: 1_000_000, least: 500, most: 300_500 },
  ])('after $failures failures is from $least to $most ms', ({ failures, least, most }) => {
    expect(pauseBeforeNext(failures, 20 * minutes, drawing(0))).toBeCloseTo(least);
    expect(pauseBeforeNext(failures, 20 * minutes, drawing(1))).toBeCloseTo(most);
  });

  test('is after failures never longer than after a success', () => {
    expect(pauseBeforeNext(20, 1_000, drawing(1))).toBe(1_000);
  });
});

test('no rule gets more time than 10 s', () => {
  expect([50, 5_000, 600_000].map(boundedTimeout)).toEqual([50, 5_000, 10_000]);
});
