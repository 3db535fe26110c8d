import type { Consumer } from '../domain/ports/index.ts';
import {
  type Clock,
  type Entropy,
  type Log,
  silentLog,
  systemClock,
  systemEntropy,
  version,
} from '../kernel/index.ts';
import { ConsumerRegistry } from './consumers.ts';
import { withAbsentEnvoy } from './envoy/absent.ts';
import { EnvoyCounters } from './envoy/counters.ts';
import { EnvoyWatcher } from './envoy/watcher.ts';
import { publishFiles } from './files/publisher.ts';
import { createCertificateRequester } from './identity/ca-client.ts';
import { type AgentSnapshot, ownBundle } from './identity/identity.ts';
import { Rotation } from './identity/rotation.ts';
import { configuredRoots, type ServerRoots } from './identity/server-trust.ts';
import { IdentityState } from './identity/state.ts';
import { type AgentOptions, defaults } from './options.ts';
import { createSecretDiscovery } from './sds/service.ts';
import type { UnixListenerOptions } from './socket/listener.ts';
import { loadPeerReader, type PeerReader } from './socket/peer.ts';
import { Connections, serveSocket } from './socket/server.ts';
import { SyncClient } from './sync/client.ts';
import { createWorkloadApi } from './workload-api/service.ts';

export interface AgentOverrides {
  readonly clock?: Clock;
  readonly entropy?: Entropy;
  readonly log?: Log;
}

export interface Agent {
  /** Runs until `signal` is aborted. @throws CitadelError when it cannot start: a socket path taken, a bad address */
  run(signal: AbortSignal): Promise<void>;
  /** Resolves once the socket is served. */
  readonly listening: Promise<void>;
  snapshot(): AgentSnapshot;
  /** @returns a function that ends the subscription */
  onChange(listener: (snapshot: AgentSnapshot) => void): () => void;
  /** The consumers that are connected, and what each was sent, accepted and uses. */
  consumers(): readonly Consumer[];
  /** Makes a new key and asks for a certificate at once. */
  renewNow(): void;
}

export function createAgent(options: AgentOptions, overrides: AgentOverrides = {}): Agent {
  const { clock = systemClock, entropy = systemEntropy, log = silentLog } = overrides;
  const state = new IdentityState();
  const registry = new ConsumerRegistry(clock);
  const connections = new Connections(registry);
  const roots = serverRoots(options, state);
  const rotation = new Rotation({
    requester: createCertificateRequester(options, roots, clock),
    state,
    clock,
    entropy,
    log,
    backoff: options.backoff ?? defaults.backoff,
    refusedBackoff: options.refusedBackoff ?? defaults.refusedBackoff,
  });
  const watchers = new Set<EnvoyWatcher>();
  const listening = deferred();
  const services = {
    secretDiscovery: createSecretDiscovery({
      state,
      clock,
      log,
      consumerOf: (peer) => connections.consumer(peer, 'envoy-sds'),
      onPush: () => {
        for (const watcher of watchers) watcher.notify();
      },
    }),
    workloadApi: createWorkloadApi({
      state,
      clock,
      consumerOf: (peer) => connections.consumer(peer, 'workload-api'),
    }),
  };

  async function run(signal: AbortSignal): Promise<void> {
    const { socket } = options;
    const socketOptions = {
      path: socket.path,
      mode: socket.mode ?? defaults.socketMode,
      allowedUids: socket.allowedUids ?? [process.getuid?.() ?? -1],
      maxConnections: socket.maxConnections ?? defaults.maxConnections,
    };
    const { readPeer, server } = await open(socketOptions).catch((error: unknown) => {
      listening.reject(error);
      throw error;
    });
    listening.resolve();
    log.info('serving SDS and the Workload API', {
      path: socket.path,
      allowedUids: socketOptions.allowedUids,
    });
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    try {
      await Promise.all(parts(readPeer).map((part) => part(either)));
    } finally {
      over.abort();
      await server.close();
    }
  }

  async function open(socketOptions: UnixListenerOptions) {
    const readPeer = await loadPeerReader();
    return { readPeer, server: await serveSocket(socketOptions, services, connections, readPeer, log) };
  }

  /** What runs beside the socket, each until its signal. */
  function parts(readPeer: PeerReader): ((signal: AbortSignal) => Promise<void>)[] {
    const running: ((signal: AbortSignal) => Promise<void>)[] = [(signal) => rotation.run(signal)];
    const { files, envoy } = options;
    const began = clock.now();
    const counters = envoy && new EnvoyCounters({ adminSocket: envoy.adminSocket, clock, log });
    if (counters) running.push((signal) => counters.run(signal));
    if (options.sync !== false) {
      const sync = new SyncClient({
        options,
        agentVersion: version,
        roots,
        state,
        consumers: envoy
          ? {
              list: () => withAbsentEnvoy(registry.list(), began),
              crlVersion: () => registry.crlVersion(),
              subscribe: (listener) => registry.subscribe(listener),
            }
          : registry,
        ...(counters ? { counters } : {}),
        rotation,
        clock,
        entropy,
        log,
      });
      running.push((signal) => sync.run(signal));
    }
    if (files !== undefined) {
      const backoff = options.backoff ?? defaults.backoff;
      const dependencies = { options: files, state, registry, clock, entropy, log, backoff };
      running.push((signal) => publishFiles(dependencies, signal));
    }
    if (envoy !== undefined) {
      const { adminSocket } = envoy;
      const watcher = new EnvoyWatcher({ adminSocket, readPeer, state, registry, clock, log });
      watchers.add(watcher);
      running.push((signal) => watcher.run(signal));
    }
    return running;
  }

  return {
    run,
    listening: listening.promise,
    snapshot: () => state.snapshot,
    onChange: (listener) => state.subscribe(listener),
    consumers: () => registry.list(),
    renewNow: () => rotation.renewNow(),
  };
}

/**
 * What the server is authenticated by: before the first certificate what is configured; then the bundle that the server
 * gave us, and a mounted file besides, which whoever mounts it keeps current while we may have been away.
 */
function serverRoots(options: AgentOptions, state: IdentityState): ServerRoots {
  const configured = configuredRoots(options);
  return async (signal) => {
    const learned = ownBundle(state.snapshot)?.pem;
    if (learned === undefined) return configured(signal);
    if (options.trust.kind !== 'bundle-file') return learned;
    return learned + (await configured(signal).catch(() => ''));
  };
}

function deferred(): { promise: Promise<void>; resolve: () => void; reject: (error: unknown) => void } {
  let resolve: () => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // Whoever waits for it sees the failure; run() reports it too.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
