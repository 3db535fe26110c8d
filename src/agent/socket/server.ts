import { type ConnectionInjector, Server, ServerCredentials } from '@grpc/grpc-js';
import {
  type SecretDiscoveryServiceServer,
  SecretDiscoveryServiceService,
} from '../../gen/envoy/service/secret/v3/sds.ts';
import {
  type SpiffeWorkloadAPIServer,
  SpiffeWorkloadAPIService,
} from '../../gen/spiffe/workload/workload.ts';
import type { Log } from '../../kernel/index.ts';
import type { ConsumerRecord, ConsumerRegistry } from '../consumers.ts';
import { listenUnix, type UnixListenerOptions } from './listener.ts';
import type { PeerCredentials, PeerReader } from './peer.ts';

/** The connections of the socket, by the name that gRPC calls know them by. */
export class Connections {
  readonly #registry: ConsumerRegistry;
  readonly #open = new Map<string, { peer: PeerCredentials; records: Map<string, ConsumerRecord> }>();
  #counter = 0;

  constructor(registry: ConsumerRegistry) {
    this.#registry = registry;
  }

  add(peer: PeerCredentials): string {
    this.#counter += 1;
    const name = `uid-${peer.uid}-pid-${peer.pid}-${this.#counter}`;
    this.#open.set(name, { peer, records: new Map() });
    return name;
  }

  remove(name: string): void {
    for (const record of this.#open.get(name)?.records.values() ?? []) record.close();
    this.#open.delete(name);
  }

  /** The consumer that a connection is, made when it first asks for something of that kind. */
  consumer(name: string, kind: 'envoy-sds' | 'workload-api'): ConsumerRecord | undefined {
    const connection = this.#open.get(name);
    if (connection === undefined) return undefined;
    const record =
      connection.records.get(kind) ?? this.#registry.open(`${kind}-${name}`, kind, connection.peer.pid);
    connection.records.set(kind, record);
    return record;
  }
}

export interface AgentServices {
  readonly secretDiscovery: SecretDiscoveryServiceServer;
  readonly workloadApi: SpiffeWorkloadAPIServer;
}

/** Serves gRPC on the Unix socket, each connection's peer checked before gRPC sees it. */
export async function serveSocket(
  options: UnixListenerOptions,
  services: AgentServices,
  connections: Connections,
  readPeer: PeerReader,
  log: Log,
): Promise<{ close(): Promise<void> }> {
  const server = new Server({
    'grpc.max_receive_message_length': 256 * 1024,
    'grpc.max_concurrent_streams': 128,
    'grpc.enable_channelz': 0,
    'grpc-node.max_session_memory': 4,
  });
  server.addService(SecretDiscoveryServiceService, services.secretDiscovery);
  server.addService(SpiffeWorkloadAPIService, services.workloadApi);
  const injector: ConnectionInjector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const listener = await listenUnix(options, readPeer, log, ({ socket, peer }) => {
    const name = connections.add(peer);
    socket.once('close', () => connections.remove(name));
    // A Unix peer has no address; gRPC hands this one to the calls, which so know their connection.
    Object.defineProperty(socket, 'remoteAddress', { value: name });
    injector.injectConnection(socket);
  });
  return {
    async close() {
      injector.destroy();
      server.forceShutdown();
      await listener.close();
    },
  };
}
