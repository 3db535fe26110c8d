import { dirname, join } from 'node:path';
import { createLog } from '../adapters/logging/index.ts';
import {
  type AgentOptions,
  createAgent,
  type ExecOptions,
  envoyAdminSocket,
  runEnvoy,
} from '../agent/index.ts';
import { systemClock } from '../kernel/index.ts';
import type { AgentConfig } from './config/index.ts';

export interface RunAgentOptions {
  /** Envoy's program and arguments; empty: none is run. */
  readonly exec: readonly string[];
  /** Stops the agent, Envoy first. */
  readonly signal: AbortSignal;
}

/** Runs the agent, and Envoy beside it, until one of them ends. @returns the exit code, Envoy's where it ran */
export async function runAgent(config: AgentConfig, { exec, signal }: RunAgentOptions): Promise<number> {
  const log = createLog({ level: config.log.level, fields: { component: 'agent' } });
  const runtimeDirectory = join(dirname(config.socket.path), 'envoy');
  const [program, ...args] = exec;
  const options = agentOptions(
    config,
    program === undefined ? undefined : envoyAdminSocket(runtimeDirectory),
  );
  const agent = createAgent(options, { log });
  await using monitoring = new AsyncDisposableStack();
  if (config.metrics) {
    const { startAgentMonitoring } = await import('./agent-monitoring.ts');
    const started = await startAgentMonitoring({ address: config.metrics, agent, clock: systemClock, log });
    monitoring.defer(() => started.close());
  }
  const stop = new AbortController();
  const running = agent.run(stop.signal);
  try {
    if (program === undefined) {
      const stopAgent = () => stop.abort();
      signal.addEventListener('abort', stopAgent, { once: true });
      if (signal.aborted) stopAgent();
      await running;
      return 0;
    }
    await Promise.race([agent.listening, running]);
    return await runEnvoy(
      {
        command: [program, ...args],
        socketPath: config.socket.path,
        runtimeDirectory,
        drainSeconds: Math.ceil((config.envoy?.drain ?? tenSeconds) / 1000),
        ...controlPlaneOf(config),
      },
      signal,
      log,
    );
  } finally {
    // Envoy drains with its certificates at hand: the agent goes last.
    stop.abort();
    await running;
  }
}

const tenSeconds = 10_000;

function controlPlaneOf({ envoy, server }: AgentConfig): Pick<ExecOptions, 'controlPlane'> {
  if (!envoy?.controlPlane) return {};
  const { workload } = envoy.controlPlane;
  return {
    controlPlane: {
      address: server.address,
      serverName: server.name ?? server.address.host,
      ...(workload === undefined ? {} : { workloadName: workload }),
    },
  };
}

/** Configuration to the agent's own options. */
function agentOptions(config: AgentConfig, execAdminSocket?: string): AgentOptions {
  const { server, token, certificate, files, peers } = config;
  const adminSocket = config.envoy?.adminSocket ?? execAdminSocket;
  const after = files?.afterRenewal;
  return {
    server: {
      address: formatAddress(server.address),
      ...(server.name === undefined ? {} : { serverName: server.name }),
    },
    trust:
      server.trust.kind === 'pin'
        ? { kind: 'pin', sha256: server.trust.value }
        : { kind: 'bundle-file', path: server.trust.value },
    ...(token ? { token } : { renewWith: 'svid' as const }),
    clusterId: config.clusterId,
    trustDomain: config.trustDomain.name,
    certificate: { keyAlgorithm: certificate.algorithm, ttlSeconds: Math.floor(certificate.ttl / 1000) },
    socket: {
      path: config.socket.path,
      ...(peers.userIds === undefined ? {} : { allowedUids: peers.userIds, mode: 0o666 }),
    },
    ...(adminSocket === undefined ? {} : { envoy: { adminSocket } }),
    ...(files
      ? {
          files: {
            directory: files.directory,
            ...(after?.kind === 'command' ? { command: after.value } : {}),
            ...(after?.kind === 'signal'
              ? { signal: { name: after.value.signal, pidFile: after.value.pidFile } }
              : {}),
          },
        }
      : {}),
    callDeadline: server.timeout,
  };
}

function formatAddress({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
