import { inspect, parseArgs } from 'node:util';
import { Coverage, everyCell } from '../../test/oracle/generate/index.ts';
import { run } from '../../test/oracle/run.ts';
import { isBalanced, Tally } from '../../test/oracle/tally.ts';
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
const round = { httpSets: 180, requestsPerSet: 100, tcpSets: 50, connectionsPerSet: 40 };
const inRound = round.httpSets * round.requestsPerSet + round.tcpSets * round.connectionsPerSet;

async function main(): Promise<void> {
  await using world = await createWorld();
  const coverage = new Coverage();
  const started = performance.now();
  let [http, tcp] = [new Tally(), new Tally()];
  for (let seed = first; http.pairs + tcp.pairs < wanted; seed += 1) {
    const share = Math.min(1, (wanted - http.pairs - tcp.pairs) / inRound);
    const part = {
      httpSets: Math.ceil(share * round.httpSets),
      tcpSets: Math.ceil(share * round.tcpSets),
    };
    const one = await run(world, { ...round, ...part, seed }, coverage);
    [http, tcp] = [http.plus(one.http), tcp.plus(one.tcp)];
    const all = http.plus(tcp);
    const speed = Math.round(all.pairs / ((performance.now() - started) / 1000));
    console.log(
      `seed ${seed}: requests ${told(http)}; connections ${told(tcp)}; mismatches ${all.mismatchCount}; ${speed} pairs a second`,
    );
    for (const mismatch of [...one.http.mismatches, ...one.tcp.mismatches].slice(0, 3)) {
      console.log(inspect(mismatch, { depth: 12, breakLength: 110 }));
    }
  }
  console.log(coverage.report());
  const all = http.plus(tcp);
  const faults = [
    ...coverage.missing(everyCell).map((what) => `never came: ${what}`),
    ...(isBalanced(http) && isBalanced(tcp) ? [] : ['less than 30 % of the verdicts are on one side']),
    ...(all.mismatchCount > 0 ? [`the rendering or decide() is wrong`] : []),
  ];
  for (const fault of faults) console.log(fault);
  console.log(`pairs ${all.pairs}, mismatches ${all.mismatchCount}`);
  if (faults.length > 0) process.exitCode = 1;
}

function told({ pairs, allowed }: Tally): string {
  return `${pairs}, allowed ${((100 * allowed) / pairs).toFixed(1)} %`;
}

await main();
