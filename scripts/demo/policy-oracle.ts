import { inspect, parseArgs } from 'node:util';
import { Coverage } from '../../test/oracle/generate/index.ts';
import { run } from '../../test/oracle/run.ts';
import { Tally } from '../../test/oracle/tally.ts';
import { createWorld } from '../../test/oracle/world.ts';

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
const wanted = Number(values.pairs);
const first = Number(values.seed);

/** Enough policies for one Envoy, and enough requests for each to be worth them. */
const round = { httpSets: 400, requestsPerSet: 50, tcpSets: 40, connectionsPerSet: 10 };

async function main(): Promise<void> {
  await using world = await createWorld();
  const coverage = new Coverage();
  const started = performance.now();
  let tally = new Tally();
  for (let seed = first; tally.pairs < wanted; seed += 1) {
    const left = wanted - tally.pairs;
    const small = left < 20_000 ? { httpSets: Math.ceil(left / 50), tcpSets: Math.ceil(left / 500) } : {};
    const one = await run(world, { ...round, ...small, seed }, coverage);
    tally = tally.plus(one);
    const share = ((100 * tally.allowed) / tally.pairs).toFixed(1);
    const speed = Math.round(tally.pairs / ((performance.now() - started) / 1000));
    console.log(`seed ${seed}: pairs ${tally.pairs}, allowed ${share} %, ${speed} pairs a second`);
    for (const mismatch of one.mismatches.slice(0, 3)) {
      console.log(inspect(mismatch, { depth: 12, breakLength: 110 }));
    }
  }
  console.log(coverage.report());
  for (const [what, count] of [...tally.steps].toSorted(([a], [b]) => a.localeCompare(b)))
    console.log(`${what}: ${count}`);
  console.log(`pairs ${tally.pairs}, mismatches ${tally.mismatchCount}`);
  if (tally.mismatchCount > 0) process.exitCode = 1;
}

await main();
