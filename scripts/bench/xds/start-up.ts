import { changesOf } from './changes.ts';
import { measureChanges, mebibytes } from './measure.ts';
import { Proxies } from './proxies.ts';
import { registryFiles, type Shape, workloadsOf } from './registry.ts';
import { startBenchServer } from './server-process.ts';

/** A large registry and one proxy that is given all of it: how long it takes to start, and how long a change takes. */
export async function measureStartUp(shape: Shape): Promise<void> {
  console.log(
    `\nStart with ${shape.services} services, ${shape.workloads} endpoints, ${shape.policies} policies; one proxy (${shape.mode})`,
  );
  const [first] = workloadsOf(shape);
  if (!first) throw new Error('a mesh has at least one workload');
  await using server = await startBenchServer(registryFiles(shape));
  const begin = performance.now();
  const [identity] = await server.ask('issue', [first]);
  if (!identity) throw new Error('there is no proxy');
  using proxies = new Proxies(server);
  await proxies.open([identity]);
  const connected = performance.now() - begin;
  const { acks, bytes } = proxies.tally();
  const { peakBytes, residentBytes, longestPause } = await server.ask('counters', { collect: true });
  const seconds = (milliseconds: number) => (milliseconds / 1000).toFixed(1);
  console.log(
    `  serving after ${seconds(server.readyAfter)} s, the first proxy has everything after ${seconds(server.readyAfter + connected)} s: ${mebibytes(bytes)} MiB in ${acks} responses; longest pause ${longestPause.toFixed(0)} ms`,
  );
  console.log(`  peak memory ${mebibytes(peakBytes)} MiB, resident then ${mebibytes(residentBytes)} MiB`);
  await measureChanges(server, proxies, changesOf(shape, [first]), 1);
}
