import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Coverage, everyKind } from '../oracle/generate/index.ts';
import { httpMutants, type Mutation, tcpMutants } from '../oracle/mutants/index.ts';
import { ours } from '../oracle/rendering.ts';
import { run } from '../oracle/run.ts';
import { isBalanced, Tally } from '../oracle/tally.ts';
import { createWorld, type World } from '../oracle/world.ts';
import { hasPart } from '../parts/index.ts';

/** A new one each day would find more; a fixed one finds the same again. `scripts/soak-policy-oracle` takes any. */
const seed = 20_261_124;
const size = { httpSets: 320, requestsPerSet: 30, tcpSets: 150, connectionsPerSet: 16 };

describe.skipIf(!hasPart('envoy'))('a real Envoy as the oracle', () => {
  const stack = new AsyncDisposableStack();
  let world: World;
  beforeAll(async () => {
    world = stack.use(await createWorld());
  });
  afterAll(() => stack.disposeAsync());

  test('decides generated requests and connections by our rendering as decide() does, verdict and rule', async () => {
    const coverage = new Coverage();
    const { http, tcp } = await run(world, { ...size, seed }, coverage);
    console.log(coverage.report());
    const all = http.plus(tcp);
    expect(all.mismatches.slice(0, 2).map((one) => inspect(one, { depth: 12 }))).toEqual([]);
    expect(all.mismatchCount).toBe(0);
    expect([http.pairs, tcp.pairs]).toEqual([9600, 2400]);
    expect([isBalanced(http), isBalanced(tcp)], `${http.allowed} and ${tcp.allowed} allowed`).toEqual([
      true,
      true,
    ]);
    expect(coverage.missing(everyKind)).toEqual([]);
  });

  /** In parts of growing size, so that what is found soon costs little; never more than the whole of the suite's pairs. */
  async function pairsUntilFound(mutation: Mutation, layer: 'http' | 'tcp'): Promise<number | undefined> {
    const sets = { http: size.httpSets, tcp: size.tcpSets }[layer];
    let tally = new Tally();
    for (const [part, share] of [0.1, 0.3, 0.6].entries()) {
      const own = { httpSets: 0, tcpSets: 0, [`${layer}Sets`]: Math.round(share * sets) };
      const options = { ...size, ...own, seed: seed + part, rendering: mutation(ours) };
      tally = tally.plus((await run(world, options, new Coverage()))[layer]);
      if (tally.firstMismatch !== undefined) break;
    }
    return tally.firstMismatch;
  }

  test.each(Object.entries(httpMutants))('finds by requests: %s', async (name, mutation) => {
    const pairs = await pairsUntilFound(mutation, 'http');
    console.log(`${name}: found by pair ${pairs} of requests`);
    expect(pairs).toBeDefined();
  });

  test.each(Object.entries(tcpMutants))('finds by connections: %s', async (name, mutation) => {
    const pairs = await pairsUntilFound(mutation, 'tcp');
    console.log(`${name}: found by pair ${pairs} of connections`);
    expect(pairs).toBeDefined();
  });
});
