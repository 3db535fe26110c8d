import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { renewalTime, renewalTimeInWindow } from '../../../src/agent/identity/renewal.ts';

const start = Date.UTC(2030, 0, 1);
const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const lifetime = fc.integer({ min: 1_000, max: 90 * 86_400_000 });

test('renewal is at half of the lifetime, give or take a twentieth of it', () => {
  expect(renewalTime(new Date(start), new Date(start + 1_000_000), 0.5)).toEqual(new Date(start + 500_000));
  expect(renewalTime(new Date(start), new Date(start + 1_000_000), 0)).toEqual(new Date(start + 450_000));
  fc.assert(
    fc.property(lifetime, fraction, (length, part) => {
      const at = renewalTime(new Date(start), new Date(start + length), part).getTime() - start;
      expect(at).toBeGreaterThanOrEqual(Math.floor(length * 0.45));
      expect(at).toBeLessThanOrEqual(length * 0.55);
    }),
  );
});

test('a window of the server is kept to, but never into the last tenth of the lifetime', () => {
  const notBefore = new Date(start);
  const notAfter = new Date(start + 1_000_000);
  const window = (from: number, to: number) => ({ start: new Date(start + from), end: new Date(start + to) });
  const at = (from: number, to: number, part: number) =>
    renewalTimeInWindow(window(from, to), notBefore, notAfter, part).getTime() - start;
  expect(at(200_000, 400_000, 0)).toBe(200_000);
  expect(at(200_000, 400_000, 0.5)).toBe(300_000);
  expect(at(950_000, 2_000_000, 0.5)).toBe(900_000);
  expect(at(-60_000, -60_000, 0.5)).toBe(-60_000);
  // A window that ends before it begins is none.
  expect(at(400_000, 200_000, 0.5)).toBe(500_000);
});
