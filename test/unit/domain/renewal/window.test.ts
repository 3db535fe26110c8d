import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideWindow, type RenewalCircumstances } from '../../../../src/domain/renewal/window.ts';

const issued = Date.UTC(2030, 0, 1);
const minute = 60_000;
const hour = { issuedAt: new Date(issued), notAfter: new Date(issued + 60 * minute) };

/** The window of an hour's leaf, in minutes since it was issued. */
function minutes(circumstances: Partial<Omit<RenewalCircumstances, 'now'>> & { readonly now?: number } = {}) {
  const { now = 0, ...others } = circumstances;
  const { start, end } = decideWindow(hour, {
    expected: () => 0,
    evenRate: 0,
    busy: false,
    ...others,
    now: new Date(issued + now * minute),
  });
  return [start, end].map((at) => (at.getTime() - issued) / minute);
}

/** Many are expected until a moment, in minutes since the issuance, and nobody after. */
const fullUntil = (until: number) => ({
  expected: (from: number) => (from < issued + until * minute - 1 ? 100 : 0),
  evenRate: 1 / minute,
});

describe('the window of a leaf', () => {
  test('is at half life where nobody else comes then', () => {
    expect(minutes()).toEqual([29.5, 30]);
  });

  test('is where the fewest come, nearest to half life', () => {
    expect(minutes(fullUntil(34))).toEqual([34, 34.5]);
    // An even share is no crowd.
    expect(minutes({ ...fullUntil(34), evenRate: 101 / (minute / 2) })).toEqual([29.5, 30]);
  });

  test('ends while a third of the life is left, however many come', () => {
    expect(minutes(fullUntil(60))).toEqual([29.5, 30]);
    expect(minutes(fullUntil(39.5))).toEqual([39.5, 40]);
  });

  test('is not in the past, and at once for who is late', () => {
    expect(minutes({ now: 35 })).toEqual([35, 35.5]);
    const [start, end = 0] = minutes({ now: 50 });
    expect(start).toBe(50);
    expect(end).toBeCloseTo(51.2);
  });

  test('is put off by a busy server, for who is about to come and for nobody else', () => {
    expect(minutes({ now: 0, busy: true })).toEqual([29.5, 30]);
    expect(minutes({ now: 30, busy: true })).toEqual([49.5, 50]);
    expect(minutes({ now: 44, busy: true })).toEqual([49.5, 50]);
    // Who cannot wait comes.
    expect(minutes({ now: 45, busy: true })[0]).toBe(45);
  });

  test('is drawn in under a tainted authority, behind the order for a new key', () => {
    const reKeyedBy = new Date(issued + 2 * minute);
    expect(minutes({ reKeyedBy })).toEqual([4, 6]);
    const [start] = minutes({ now: 50, reKeyedBy: new Date(issued + 51 * minute) });
    expect(start).toBe(50);
  });
});

test('no window begins before a third of the life or in the past, nor leaves less than a sixth of it for another attempt', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 10_000, max: 90 * 86_400_000 }),
      fc.double({ min: 0, max: 5 / 6, noNaN: true }),
      fc.boolean(),
      fc.func(fc.double({ min: 0, max: 1000, noNaN: true })),
      (life, age, busy, expected) => {
        const leaf = { issuedAt: new Date(issued), notAfter: new Date(issued + life) };
        const now = new Date(issued + life * age);
        const { start, end } = decideWindow(leaf, { now, expected, evenRate: 100 / life, busy });
        expect(end.getTime()).toBeGreaterThanOrEqual(start.getTime());
        expect(start.getTime()).toBeGreaterThanOrEqual(
          Math.floor(Math.max(now.getTime(), issued + life / 3)) - 1,
        );
        // Who is late already may take a fiftieth more.
        expect(end.getTime()).toBeLessThanOrEqual(
          issued + Math.max(life * (5 / 6), life * (age + 1 / 50)) + 1,
        );
      },
    ),
  );
});
