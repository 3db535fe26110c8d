import { expect, test } from 'vitest';
import { nothingLinted, smallLint } from './lint-runs.ts';

/** A fixed one finds the same again; `scripts/check-policy-exactness` takes any. */
const seed = 20_261_129;

const effects = [
  'covered-rule',
  'value-without-effect',
  'rule-without-effect',
  'rule-never-matches',
  'allow-shadowed-by-deny',
  'policy-without-effect',
];

test('what lint says has no effect has none, by every request of small universes; and all else has', () => {
  let found = nothingLinted;
  for (let round = 0; round < 60; round += 1) found = smallLint(seed + round, 150, found);
  console.log({ ...found, told: undefined });
  expect(found.told).toEqual([]);
  // Otherwise little was looked at.
  expect(found.requests).toBeGreaterThan(10_000);
  expect(found.silent).toBeGreaterThan(300);
  expect(found.warnings).toMatchObject(Object.fromEntries(effects.map((name) => [name, expect.any(Number)])));
}, 180_000);
