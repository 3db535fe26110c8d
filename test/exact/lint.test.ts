import { expect, test } from 'vitest';
import { Random } from '../oracle/generate/index.ts';
import { everyRequest } from './check.ts';
import { checkLint } from './lint.ts';
import { nothingLinted, smallLint } from './lint-runs.ts';
import { mutantsOf, shop } from './mutants.ts';
import { smallWorld } from './worlds.ts';

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

test('and so it is of a shop’s policies, each time with something else of them changed', () => {
  const some = mutantsOf(shop).filter((_, at) => at % 6 === 0);
  let silent = 0;
  for (const { name, policies } of some) {
    const world = smallWorld(policies);
    const random = new Random(5);
    const checked = checkLint(world, everyRequest(random, 60, world), everyRequest(random, 4, world));
    silent += checked.silent;
    expect({ name, faults: checked.faults }).toEqual({ name, faults: [] });
  }
  expect(silent).toBeGreaterThan(300);
}, 180_000);
