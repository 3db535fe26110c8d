import { writeFile } from 'node:fs/promises';
import type { AuthorizationContext } from '../../src/adapters/envoy/authorization/index.ts';
import { networkAuthorization } from '../../src/adapters/envoy/authorization/index.ts';
import { Listener } from '../../src/gen/envoy/config/listener/v3/listener.ts';
import { freePort, startEnvoy, temporaryDirectory } from '../parts/index.ts';
import { Coverage, connections, policySet, Random, words } from './generate/index.ts';
import { httpFilter, type Mutation } from './http-listener.ts';
import { httpPairs } from './http-pairs.ts';
import { httpListener, tcpAddress, tcpListener } from './listeners.ts';
import { discoveryFile, packed } from './messages.ts';
import type { Tally } from './tally.ts';
import { tcpPairs } from './tcp-pairs.ts';
import type { World } from './world.ts';

export interface RunOptions {
  readonly seed: number;
  readonly httpSets: number;
  readonly requestsPerSet: number;
  readonly tcpSets: number;
  readonly connectionsPerSet: number;
  readonly mutation?: Mutation;
}

/** Generates policies and requests, has a real Envoy decide them by our rendering, and compares with our reading. */
export async function run(world: World, options: RunOptions, coverage: Coverage): Promise<Tally> {
  const random = new Random(options.seed);
  const ports = [await freePort(), await freePort()];
  const tcpPort = await freePort();
  const portWords = [...ports, tcpPort].map(String);
  const http = Array.from({ length: options.httpSets }, () => policySet(random, portWords, coverage));
  const tcp = Array.from({ length: options.tcpSets }, () => policySet(random, portWords, coverage));
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
    sets: http.map(({ policies }) => policies),
    authentication: [authentication],
    jwksOf: () => jwks,
    context,
    mutation: options.mutation,
  });
  const tcpSets = tcp.map(({ policies }, index) => ({
    address: tcpAddress(index),
    filters: networkAuthorization(policies, context),
  }));
  const listeners = [
    ...ports.map((port) => httpListener(port, filter, world.server)),
    ...(tcpSets.length > 0 ? [tcpListener(tcpPort, tcpSets, world.server, log)] : []),
  ].map((listener) => packed('envoy.config.listener.v3.Listener', Listener, listener));
  await writeFile(directory.join('listeners.pb'), discoveryFile(listeners));
  await using envoy = await startEnvoy({
    logLevel: 'warning',
    args: ['--file-flush-interval-msec', '100'],
    bootstrap: {
      node: { id: 'oracle', cluster: 'oracle' },
      static_resources: { clusters: authorizers.clusters, listeners: authorizers.listeners },
      dynamic_resources: { lds_config: { path_config_source: { path: directory.join('listeners.pb') } } },
    },
  });
  await envoy.waitLive();
  const rejected = envoy
    .logs()
    .split('\n')
    .find((line) => line.includes('update rejected') || /deprecated/i.test(line));
  if (rejected !== undefined) throw new Error(`seed ${options.seed}: ${rejected}`);
  await envoy.listenerPort(`http-${ports[0]}`);
  const all = connections(random, ports, 48);
  const pairs = { random, world, coverage };
  const ofHttp = await httpPairs(pairs, http, all, options.requestsPerSet);
  const ofTcp = await tcpPairs(pairs, tcp, { port: tcpPort, perSet: options.connectionsPerSet, log });
  return ofHttp.plus(ofTcp);
}
