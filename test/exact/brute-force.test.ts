import { expect, test } from 'vitest';
import { largeRound, nothingFound, smallRound } from './runs.ts';

/** A new one each day would find more; a fixed one finds the same again. `scripts/check-policy-exactness` takes any. */
const seed = 20_261_129;

test('what the engine says of two worlds is so for every request of small universes around them', () => {
  let found = nothingFound;
  for (let round = 0; round < 140; round += 1) found = smallRound(seed + round, 200, found);
  console.log({ ...found, told: undefined });
  expect(found.told).toEqual([]);
  expect(found.disagreements).toBe(0);
  // Otherwise little was compared.
  expect(found.requests).toBeGreaterThan(30_000);
  expect(found.same).toBeGreaterThan(40);
  expect(found.shown).toBeGreaterThan(40);
  expect(found.undecided).toBe(0);
}, 180_000);

test('what the engine says of larger policies is so for requests that are aimed at them', () => {
  let found = nothingFound;
  for (let round = 0; round < 40; round += 1) found = largeRound(seed + round, 100, found);
  console.log({ ...found, told: undefined });
  expect(found.told).toEqual([]);
  expect(found.disagreements).toBe(0);
  expect(found.requestsOfSame).toBeGreaterThan(10_000);
  expect(found.different).toBeGreaterThan(3);
  expect(found.undecided).toBe(0);
}, 180_000);
