import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AgentSnapshot, envoyAdminSocket, runEnvoy } from '../../../src/agent/index.ts';
import { silentLog } from '../../../src/kernel/index.ts';
import { exchange, freePort, requirePart, waitFor } from '../../../test/parts/index.ts';
import type { FleetAgent } from '../../../test/support/fleet/index.ts';
import { envoyConfig } from '../envoy-config.ts';
import { trustDomain } from '../world.ts';

/** A real Envoy with its certificate and bundle from an agent of the fleet. */
export interface FleetEnvoy {
  readonly agent: FleetAgent;
  /** Takes mutual TLS with whoever is of the trust domain. */
  readonly inbound: number;
  /** Plaintext in; by mutual TLS, with a handshake for each request, to the next Envoy. */
  readonly egress: number;
}

/** An Envoy ends with this process, also where that is killed (setpriv(1) sets its parent-death signal). */
const bound = ['/usr/bin/setpriv', '--pdeathsig', 'KILL'] as const;

/** Where the agent looks for its Envoy's admin. */
export const adminSocketOf = (directory: string) => envoyAdminSocket(join(directory, 'envoy'));

/** Starts an Envoy beside each of the agents, each calling the next; `stack` ends them. */
export async function startEnvoys(
  agents: readonly FleetAgent[],
  application: number,
  stack: AsyncDisposableStack,
): Promise<readonly FleetEnvoy[]> {
  // Each hands the signals that it gets on to its Envoy.
  process.setMaxListeners(Math.max(process.getMaxListeners(), agents.length + 10));
  const envoys: FleetEnvoy[] = [];
  for (const agent of agents) envoys.push({ agent, inbound: await freePort(), egress: await freePort() });
  await Promise.all(
    envoys.map(async (envoy, index) => {
      const next = envoys[(index + 1) % envoys.length] ?? envoy;
      await start(envoy, next, application, stack);
    }),
  );
  return envoys;
}

async function start(
  { agent, inbound, egress }: FleetEnvoy,
  next: FleetEnvoy,
  application: number,
  stack: AsyncDisposableStack,
): Promise<void> {
  const { directory, socketPath, name } = agent;
  const bootstrap = join(directory, 'envoy.json');
  await writeFile(
    bootstrap,
    JSON.stringify(
      envoyConfig(
        [
          { name: 'inbound', port: inbound, cluster: 'application', trustDomain },
          { name: 'egress', port: egress, cluster: 'next' },
        ],
        [
          { name: 'application', port: application },
          {
            name: 'next',
            port: next.inbound,
            spiffeId: spiffeIdOf(next.agent.snapshot),
            requestsPerConnection: 1,
          },
        ],
      ),
    ),
  );
  const stop = new AbortController();
  const log = ['--log-path', join(directory, 'envoy.log'), '--log-level', 'warn'];
  const ended = runEnvoy(
    {
      command: [
        ...bound,
        requirePart('envoy'),
        '--disable-hot-restart',
        '--concurrency',
        '1',
        ...log,
        '-c',
        bootstrap,
      ],
      socketPath,
      runtimeDirectory: join(directory, 'envoy'),
      node: { id: name, cluster: 'fleet' },
      drainSeconds: 0,
      killSeconds: 1,
    },
    stop.signal,
    silentLog,
  );
  stack.defer(async () => {
    stop.abort();
    await ended;
  });
  await waitFor(
    async () =>
      (await exchange('http://localhost/ready', { socketPath: adminSocketOf(directory) })).status === 200,
    { what: `the Envoy of ${name} to be ready`, deadline: 60_000 },
  );
}

export function spiffeIdOf(snapshot: AgentSnapshot | undefined): string {
  const identity = snapshot?.identity;
  if (!identity) throw new Error('the agent holds no certificate');
  return identity.id.toString();
}
