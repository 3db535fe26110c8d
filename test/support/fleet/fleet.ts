import { join } from 'node:path';
import type { AgentOptions } from '../../../src/agent/index.ts';
import { type Log, type Secret, silentLog } from '../../../src/kernel/index.ts';
import { waitFor } from '../../parts/index.ts';
import { FleetAgent } from './agent.ts';

export { FleetAgent };

/** Which of the fleet an agent is. */
export interface FleetMember {
  readonly index: number;
  /** Of the agent and of its service account, unique in the fleet. */
  readonly name: string;
  readonly namespace: string;
  /** Its own; for the agent's socket and whatever stands beside it. */
  readonly directory: string;
}

export interface FleetOptions {
  readonly size: number;
  /** Below it each agent has a directory; short, for a Unix socket's path has little room. */
  readonly directory: string;
  readonly trustDomain: string;
  /** PEM; read at each connection to the server, so whoever rotates roots keeps it current, as a platform would. */
  readonly bundleFile: string;
  /** What proves an agent to the server; asked for once an agent. */
  readonly token: (member: FleetMember) => Promise<Secret<string>>;
  /** Where an agent finds the server, on loopback: the server's own port or a relay's. */
  readonly serverPort: (member: FleetMember) => number;
  /** Beyond what each has. */
  readonly options?: (member: FleetMember) => Partial<AgentOptions>;
  /** How many ask for their first certificate at once; default 32. */
  readonly together?: number;
  readonly log?: Log;
}

export interface Fleet extends AsyncDisposable {
  readonly agents: readonly FleetAgent[];
}

const namespace = 'fleet';
const firstCertificate = 60_000;

/** Starts many agents in this process, each with its own key, certificate, Unix socket and connections to the server. */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const { size, directory, token, log = silentLog } = options;
  await using stack = new AsyncDisposableStack();
  const agents: FleetAgent[] = [];
  stack.defer(async () => {
    await inParallel(agents, options.together, (agent) => agent.stop());
  });
  for (let index = 0; index < size; index += 1) {
    const name = `agent-${index}`;
    const member = { index, name, namespace, directory: join(directory, `${index}`) };
    agents.push(
      new FleetAgent({
        name,
        directory: member.directory,
        token: await token(member),
        options: {
          server: { address: `127.0.0.1:${options.serverPort(member)}`, serverName: 'localhost' },
          trust: { kind: 'bundle-file', path: options.bundleFile },
          trustDomain: options.trustDomain,
          ...options.options?.(member),
        },
        log,
      }),
    );
  }
  await inParallel(agents, options.together, async (agent) => {
    await agent.start();
    await waitFor(() => agent.snapshot?.identity, {
      what: `the first certificate of ${agent.name}`,
      deadline: firstCertificate,
    });
  });
  const running = stack.move();
  return { agents, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** Does the same with each, so many at a time. */
async function inParallel<T>(
  items: readonly T[],
  together = 32,
  each: (item: T) => Promise<void>,
): Promise<void> {
  const left = items.values();
  await Promise.all(
    Array.from({ length: together }, async () => {
      for (const item of left) await each(item);
    }),
  );
}
