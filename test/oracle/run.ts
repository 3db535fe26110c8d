import { writeFile } from 'node:fs/promises';
import type { AuthorizationContext } from '../../src/adapters/envoy/authorization/index.ts';
import { Listener } from '../../src/gen/envoy/config/listener/v3/listener.ts';
import { freePort, startEnvoy, temporaryDirectory } from '../parts/index.ts';
import { Coverage, connections, policySet, Random, words } from './generate/index.ts';
import { httpFilter } from './http-listener.ts';
import { httpPairs } from './http-pairs.ts';
import { httpListener, tcpAddress, tcpListener } from './listeners.ts';
import { discoveryFile, packed } from './messages.ts';
import { ours, type Rendering } from './rendering.ts';
import type { Tally } from './tally.ts';
import { tcpPairs } from './tcp-pairs.ts';
import type { World } from './world.ts';

export interface RunOptions {
  readonly seed: number;
  readonly httpSets: number;
  readonly requestsPerSet: number;
  readonly tcpSets: number;
  readonly connectionsPerSet: number;
  /** Default: ours. */
  readonly rendering?: Rendering;
}

export interface RunResult {
  readonly http: Tally;
  readonly tcp: Tally;
}

/** Milliseconds for what takes one: a long run gives way to all else that the machine does. */
const patience = 300_000;

/** Generates policies and requests, has a real Envoy decide them by our rendering, and compares with our reading. */
export async function run(world: World, options: RunOptions, coverage: Coverage): Promise<RunResult> {
  const { rendering = ours } = options;
  const random = new Random(options.seed);
  const ports = [await freePort(), await freePort()];
  const tcpPort = await freePort();
  const portWords = [...ports, tcpPort].map(String);
  const making = { random, ports: portWords, coverage };
  const httpSets = Array.from({ length: options.httpSets }, () => policySet(making, 'http'));
  const tcpSets = Array.from({ length: options.tcpSets }, () => policySet(making, 'tcp'));
  const { authorizers, authentication, jwks } = world;
  const context: AuthorizationContext = {
    trustDomain: words.trustDomain,
    trustDomainAliases: words.trustDomainAliases,
    providers: authorizers.providers,
    providerCluster: ({ name }) => name,
  };
  await using directory = await temporaryDirectory('oracle');
  const log = directory.join('tcp.log');
  const filter = httpFilter({
    sets: httpSets.map(({ policies }) => policies),
    authentication: [authentication],
    jwksOf: () => jwks,
    context,
    rendering,
  });
  const tcpSides = tcpSets.map(({ policies }, index) => ({
    address: tcpAddress(index),
    filters: rendering.network(policies, context),
  }));
  const listeners = [
    ...ports.map((port) => httpListener(port, filter, world.server)),
    ...(tcpSets.length > 0 ? [tcpListener(tcpPort, tcpSides, world.server, log)] : []),
  ].map((listener) => packed('envoy.config.listener.v3.Listener', Listener, listener));
  await writeFile(directory.join('listeners.pb'), discoveryFile(listeners));
  await using envoy = await startEnvoy({
    logLevel: 'warning',
    deadline: patience,
    args: ['--file-flush-interval-msec', '100'],
    bootstrap: {
      node: { id: 'oracle', cluster: 'oracle' },
      static_resources: { clusters: authorizers.clusters, listeners: authorizers.listeners },
      dynamic_resources: { lds_config: { path_config_source: { path: directory.join('listeners.pb') } } },
    },
  });
  await envoy.waitLive({ deadline: patience });
  const rejected = envoy
    .logs()
    .split('\n')
    .find((line) => line.includes('update rejected') || /deprecated/i.test(line));
  if (rejected !== undefined) throw new Error(`seed ${options.seed}: ${rejected}`);
  await envoy.listenerPort(`http-${ports[0]}`, { deadline: patience });
  const all = connections(random, ports, 48);
  const pairs = { random, world, coverage };
  const http = await httpPairs(pairs, httpSets, all, options.requestsPerSet);
  const tcp = await tcpPairs(pairs, tcpSets, {
    port: tcpPort,
    perSet: options.connectionsPerSet,
    log,
    patience,
    isOurs: rendering === ours,
  });
  return { http, tcp };
}
