import { setTimeout as delay } from 'node:timers/promises';
import { changesOf } from './changes.ts';
import { measureChanges, mebibytes, ratio } from './measure.ts';
import { Proxies } from './proxies.ts';
import { registryFiles, type Shape, workloadsOf } from './registry.ts';
import { startBenchServer } from './server-process.ts';

const idle = 10_000;

/** Many proxies: what each costs, and what a change costs that concerns all of them, or few. */
export async function measureFleet(shape: Shape, { short }: { readonly short: boolean }): Promise<void> {
  const workloads = workloadsOf(shape);
  console.log(
    `\n${workloads.length} proxies (${shape.mode}), ${shape.services} services, ${shape.policies} policies`,
  );
  await using server = await startBenchServer(registryFiles(shape));
  const [first, ...others] = await server.ask('issue', workloads);
  if (!first) throw new Error('there is no proxy');
  using proxies = new Proxies(server);
  await proxies.open([first]);
  const one = await server.ask('counters', { collect: true });
  const begin = performance.now();
  await proxies.open(others);
  const seconds = (performance.now() - begin) / 1000;
  const open = await server.ask('counters', { collect: true });
  const more = others.length;
  console.log(
    `  all connected and with everything after ${seconds.toFixed(1)} s; server CPU ${((open.cpuMilliseconds - one.cpuMilliseconds) / more).toFixed(2)} ms a proxy, longest pause ${open.longestPause.toFixed(0)} ms`,
  );
  console.log(`  renders ${open.renders} for ${workloads.length} proxies`);
  const perThousand = (key: 'residentBytes' | 'heapBytes') =>
    mebibytes(((open[key] - one[key]) / more) * 1000);
  console.log(
    `  resident ${mebibytes(one.residentBytes)} MiB with one proxy, ${mebibytes(open.residentBytes)} with all: ${perThousand('residentBytes')} MiB per 1,000 more (JavaScript heap ${perThousand('heapBytes')})`,
  );
  await measureChanges(server, proxies, changesOf(shape, workloads), workloads.length);
  const { onceBytes, eachBytes } = await server.ask('encoded', workloads);
  console.log(
    `  resources of all: encoded ${mebibytes(onceBytes)} MiB, by each for itself ${mebibytes(eachBytes)} MiB: ratio ${ratio(eachBytes, onceBytes)}`,
  );
  if (short) return;
  const before = await server.ask('counters', { collect: true });
  await delay(idle);
  const after = await server.ask('counters', { collect: false });
  console.log(
    `  idle: ${((after.cpuMilliseconds - before.cpuMilliseconds) / (idle / 1000)).toFixed(0)} ms of CPU a second, longest pause ${after.longestPause.toFixed(0)} ms; resident ${mebibytes(before.residentBytes)} MiB`,
  );
}
