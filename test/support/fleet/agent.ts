import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Agent, type AgentOptions, type AgentSnapshot, createAgent } from '../../../src/agent/index.ts';
import type { Log, Secret } from '../../../src/kernel/index.ts';

export interface AgentHome {
  readonly name: string;
  /** Its own; short, for a Unix socket's path has little room. */
  readonly directory: string;
  readonly token: Secret<string>;
  readonly options: Omit<AgentOptions, 'socket' | 'token'>;
  readonly log: Log;
}

/** An agent as it is shipped, in this process: it can be stopped and started again, and forgets all when it is. */
export class FleetAgent {
  readonly name: string;
  readonly directory: string;
  readonly #home: AgentHome;
  readonly #listeners = new Set<(snapshot: AgentSnapshot) => void>();
  #running:
    | { readonly agent: Agent; readonly stop: AbortController; readonly ended: Promise<void> }
    | undefined;

  constructor(home: AgentHome) {
    this.name = home.name;
    this.directory = home.directory;
    this.#home = home;
  }

  get socketPath(): string {
    return join(this.directory, 'agent.sock');
  }

  /** What it holds at this moment; undefined while it is stopped. */
  get snapshot(): AgentSnapshot | undefined {
    return this.#running?.agent.snapshot();
  }

  /** Told of each change of what it holds, over restarts. @returns a function that ends the subscription */
  onChange(listener: (snapshot: AgentSnapshot) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when its socket is served; the first certificate may take longer. */
  async start(): Promise<void> {
    if (this.#running) throw new Error(`the agent ${this.name} runs already`);
    const { directory, token, options, log } = this.#home;
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const tokenFile = join(directory, 'token');
    await writeFile(tokenFile, token.reveal(), { mode: 0o600 });
    const agent = createAgent(
      { ...options, token: { file: tokenFile }, socket: { path: this.socketPath } },
      { log },
    );
    const stop = new AbortController();
    const ended = agent.run(stop.signal);
    // Told by whoever waits for its socket, or for its end.
    ended.catch(() => undefined);
    this.#running = { agent, stop, ended };
    agent.onChange((snapshot) => {
      for (const listener of this.#listeners) listener(snapshot);
    });
    await Promise.race([agent.listening, ended]);
  }

  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    running?.stop.abort();
    await running?.ended;
  }
}
