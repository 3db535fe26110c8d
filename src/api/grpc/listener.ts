import type { Socket } from 'node:net';
import {
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { ServingCertificateSource } from '../../domain/serving/index.ts';
import type { Refusal } from '../listen/index.ts';
import { createAdmission } from './admission.ts';
import type { GrpcHealth } from './health.ts';
import { startTlsListener } from './tls.ts';

export interface GrpcService {
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
  /** Called once, by the listener that serves it. */
  readonly attach?: (connections: Connections) => void;
}

export interface Connections {
  /** Ends the connection of a call's peer (`getPeer()`), with all its streams: whoever does not read takes no status. */
  cut(peer: string): void;
}

export interface GrpcLimits {
  /** The largest request. */
  readonly messageBytes: number;
  /** Open at once. */
  readonly connections: number;
  readonly streamsPerConnection: number;
  /** Of one remote address. */
  readonly callsPerSecondPerPeer: number;
  /** Milliseconds in which a TLS handshake must end. */
  readonly handshakeTimeout: number;
  /** Milliseconds in which a unary call's request must arrive. */
  readonly requestTimeout: number;
}

export interface GrpcListenerOptions {
  /** Port 0 takes a free one. */
  readonly address: { readonly host: string; readonly port: number };
  readonly certificates: ServingCertificateSource;
  readonly services: readonly GrpcService[];
  readonly health: GrpcHealth;
  readonly limits: GrpcLimits;
  /** Called for all that is turned away before a service sees it. */
  readonly onRefused: (refusal: Refusal) => void;
}

export interface GrpcListener {
  readonly port: number;
  /** Refuses new calls, finishes those begun, and cuts what is left after `graceMilliseconds`. Safe to repeat. */
  close(graceMilliseconds: number): Promise<void>;
}

/** Milliseconds without a call, after which a connection is closed. */
const idleConnection = 300_000;

/** Serves gRPC over TLS; a client certificate is asked for, and judged by each service. */
export async function startGrpcListener(options: GrpcListenerOptions): Promise<GrpcListener> {
  const { limits, onRefused } = options;
  const admission = createAdmission({
    callsPerSecondPerPeer: limits.callsPerSecondPerPeer,
    requestTimeout: limits.requestTimeout,
    onRefused,
    now: () => performance.now(),
  });
  const server = new Server({
    'grpc.max_receive_message_length': limits.messageBytes,
    'grpc.max_concurrent_streams': limits.streamsPerConnection,
    'grpc.max_connection_idle_ms': idleConnection,
    'grpc.keepalive_time_ms': 60_000,
    'grpc.keepalive_timeout_ms': 20_000,
    interceptors: [admission.interceptor],
  });
  for (const { definition, implementation } of options.services)
    server.addService(definition, implementation);
  options.health.addTo(server);
  // grpc-js sees connections whose TLS is done: it speaks HTTP/2 on them, and still finds the peer's certificate.
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const open = new Map<string, Socket>();
  for (const { attach } of options.services) attach?.({ cut: (peer) => open.get(peer)?.destroy() });
  const tls = await startTlsListener({
    address: options.address,
    certificates: options.certificates,
    connections: limits.connections,
    handshakeTimeout: limits.handshakeTimeout,
    onConnection: (socket) => {
      const peer = `${socket.remoteAddress}:${socket.remotePort}`;
      open.set(peer, socket);
      socket.once('close', () => open.delete(peer));
      injector.injectConnection(socket);
    },
    onDropped: (peer) => admission.refuse({ kind: 'connections', peer, method: '' }),
  });
  let closing: Promise<void> | undefined;
  const close = async (grace: number) => {
    tls.stopListening();
    // Since Node 24 an HTTP/2 server that closes closes its sessions, and grpc-js then takes them for done: it is the
    // connections that tell when the last reply has left.
    await Promise.all([shutDown(server, grace), tls.drain(grace)]);
  };
  return {
    port: tls.port,
    close: (grace) => {
      closing ??= close(grace);
      return closing;
    },
  };
}

/** Finishes the calls begun, and cuts what is left after `grace` milliseconds. */
export function shutDown(server: Server, grace: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.forceShutdown(), grace);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
