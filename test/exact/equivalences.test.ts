import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { Random } from '../oracle/generate/index.ts';
import { policy } from '../unit/domain/policy/mesh.ts';
import { checkPair, everyRequest } from './check.ts';
import { nearlySame, type Rewritten, type Specs, sameMeaning } from './equivalences.ts';
import { believing, smallWorld } from './worlds.ts';

function checked({ before, after }: Rewritten) {
  const world = (specs: Specs) =>
    smallWorld([
      ...Object.entries(specs).map(([name, spec]) => policy(`shop/${name}`, spec)),
      believing('shop'),
    ]);
  const first = world(before);
  return checkPair(first, world(after), everyRequest(new Random(3), 1500, first));
}

describe('policies that are written in another way', () => {
  test.each(sameMeaning)('are no change: $name', (rewritten) => {
    const { comparison, faults, differing, requests } = checked(rewritten);
    expect(comparison.differences.map((each) => inspect(each, { depth: 9 }))).toEqual([]);
    expect({ outcome: comparison.outcome, faults, differing }).toEqual({
      outcome: 'same',
      faults: [],
      differing: 0,
    });
    expect(requests).toBeGreaterThan(3);
  });

  test.each(nearlySame)('are a change, though it looks like none: $name', (rewritten) => {
    const { comparison, faults } = checked(rewritten);
    expect(faults.map((each) => inspect(each, { depth: 9 }))).toEqual([]);
    expect(comparison.outcome).toBe('different');
  });
});
