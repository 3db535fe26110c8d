import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { Coverage } from '../oracle/generate/index.ts';
import type { Mutation } from '../oracle/http-listener.ts';
import { run } from '../oracle/run.ts';
import { createWorld } from '../oracle/world.ts';
import { hasPart } from '../parts/index.ts';

/** A new one each day would find more; a fixed one finds the same again. `scripts/soak-policy-oracle` takes any. */
const seed = 20_261_124;

describe.skipIf(!hasPart('envoy'))('a real Envoy as the oracle', () => {
  test('decides generated requests by our rendering as decide() does, verdict and deciding rule', async () => {
    await using world = await createWorld();
    const coverage = new Coverage();
    const size = { httpSets: 120, requestsPerSet: 50, tcpSets: 0, connectionsPerSet: 0 };
    const tally = await run(world, { ...size, seed }, coverage);
    expect(tally.mismatches.slice(0, 2).map((one) => inspect(one, { depth: 12 }))).toEqual([]);
    expect(tally.mismatchCount).toBe(0);
    expect(tally.pairs).toBe(6000);
    // Neither side is a corner.
    expect(tally.allowed / tally.pairs).toBeGreaterThan(0.3);
    expect(tally.allowed / tally.pairs).toBeLessThan(0.7);
    for (const field of ['principals', 'paths', 'hosts', 'methods', 'ipBlocks', 'request.auth.claims'])
      expect(coverage.report()).toContain(`${field}: `);
  });

  /** The same filter without what it enforces, or without what it only tells. */
  const without = (name: string, part: 'rules' | 'shadowRules'): Mutation => {
    return (filter) =>
      filter.kind === 'rbac' && filter.name === name
        ? { ...filter, config: { ...filter.config, [part]: undefined } }
        : filter;
  };
  const mutants: readonly (readonly [string, Mutation])[] = [
    ['no DENY', without('citadel.deny', 'rules')],
    ['no ALLOW', without('citadel.allow', 'rules')],
    ['no AUDIT', without('citadel.audit', 'rules')],
    ['no guard of paths', without('citadel.path', 'rules')],
    ['no denial for a provider that nobody has', without('citadel.custom_unavailable', 'rules')],
    ['no dry run of DENY', without('citadel.deny', 'shadowRules')],
  ];
  test.each(mutants)('finds a rendering with %s', async (_name, mutation) => {
    await using world = await createWorld();
    const size = { httpSets: 60, requestsPerSet: 30, tcpSets: 0, connectionsPerSet: 0 };
    const tally = await run(world, { ...size, seed, mutation }, new Coverage());
    expect(tally.mismatchCount).toBeGreaterThan(0);
  });
});
