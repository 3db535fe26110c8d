import { clusterType, extensionType } from '../../../src/api/grpc/ads/types.ts';
import { type Identity, outdated, type Possession } from './delta-stream.ts';
import { ratio } from './measure.ts';
import { Proxies } from './proxies.ts';
import { registryFiles, type Shape, workloadsOf } from './registry.ts';
import { type BenchServer, startBenchServer } from './server-process.ts';

interface Reconnected {
  readonly milliseconds: number;
  readonly cpuMilliseconds: number;
  readonly acks: number;
  readonly filters: number;
}

/** In turn, so that what else the machine does falls on both. */
const rounds = (short: boolean) => (short ? 3 : 7);

/**
 * All proxies come back at once, and everything is as they left it but the configurations of their filters: of each they
 * have another one, which go one by one, or none, which go together.
 */
export async function measureReconnects(shape: Shape, { short }: { readonly short: boolean }): Promise<void> {
  const workloads = workloadsOf(shape);
  console.log(`\n${workloads.length} proxies that come back (${shape.mode}), ${shape.policies} policies`);
  await using server = await startBenchServer(registryFiles(shape));
  const identities = await server.ask('issue', workloads);
  const left = new Map<string, Possession>();
  {
    using proxies = new Proxies(server);
    await proxies.open(identities);
    for (const identity of identities) left.set(identity.workload, proxies.possession(identity) ?? new Map());
  }
  const one: Reconnected[] = [];
  const together: Reconnected[] = [];
  for (let round = 0; round < rounds(short); round += 1) {
    one.push(await reconnect(server, identities, (identity) => without(left, identity, outdated)));
    together.push(await reconnect(server, identities, (identity) => without(left, identity, undefined)));
  }
  const [alone, joint] = [median(one), median(together)];
  print('one by one', alone, workloads.length);
  print('together  ', joint, workloads.length);
  console.log(
    `  ratio: time ${ratio(alone.milliseconds, joint.milliseconds)}, server CPU ${ratio(alone.cpuMilliseconds, joint.cpuMilliseconds)}, ACKs ${ratio(alone.acks, joint.acks)}`,
  );
}

function without(
  left: ReadonlyMap<string, Possession>,
  { workload }: Identity,
  version: string | undefined,
): Possession {
  const types = [...(left.get(workload) ?? [])].map(
    ([typeUrl, versions]) =>
      [
        typeUrl,
        typeUrl === extensionType
          ? new Map([...versions.keys()].map((name) => [name, version] as const))
          : versions,
      ] as const,
  );
  // Clusters first, as an Envoy asks.
  return new Map(types.toSorted(([a], [b]) => Number(b === clusterType) - Number(a === clusterType)));
}

async function reconnect(
  server: BenchServer,
  identities: readonly Identity[],
  comesBackWith: (identity: Identity) => Possession,
): Promise<Reconnected> {
  using proxies = new Proxies(server);
  const before = await server.ask('counters', { collect: true });
  const begin = performance.now();
  await proxies.open(identities, comesBackWith);
  const milliseconds = performance.now() - begin;
  const after = await server.ask('counters', { collect: false });
  const { acks, resources } = proxies.tally();
  return {
    milliseconds,
    cpuMilliseconds: after.cpuMilliseconds - before.cpuMilliseconds,
    acks,
    filters: resources['TypedExtensionConfig'] ?? 0,
  };
}

/** Of the round in the middle by its server's CPU. */
function median(measured: readonly Reconnected[]): Reconnected {
  const middle = measured.toSorted((a, b) => a.cpuMilliseconds - b.cpuMilliseconds)[measured.length >> 1];
  if (!middle) throw new Error('nothing was measured');
  return middle;
}

function print(
  what: string,
  { milliseconds, cpuMilliseconds, acks, filters }: Reconnected,
  proxies: number,
): void {
  console.log(
    `  ${what}  ${milliseconds.toFixed(0)} ms until all have everything, server CPU ${(cpuMilliseconds / proxies).toFixed(2)} ms a proxy, ${(acks / proxies).toFixed(1)} ACKs and ${(filters / proxies).toFixed(1)} filters a proxy`,
  );
}
