import { readFile, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { exchange, type HttpReply, HttpStatusError } from './http.ts';
import { requirePart } from './locate.ts';
import { type ExitStatus, type RunningProcess, startProcess } from './process.ts';
import { temporaryDirectory } from './temporary.ts';
import { waitFor } from './wait-for.ts';

export interface EnvoyOptions {
  /**
   * Envoy's bootstrap (envoy.config.bootstrap.v3.Bootstrap as JSON). Without `admin` it gets one on a Unix socket of mode
   * 0600; listeners may use port 0, `listenerPort` tells which port they got.
   */
  readonly bootstrap: object;
  /** Turns hot restart on, with this base id; off by default, so that Envoys do not share memory. */
  readonly baseId?: number;
  readonly logLevel?: 'trace' | 'debug' | 'info' | 'warning' | 'error';
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Milliseconds until its admin answers; those of any process by default. */
  readonly deadline?: number;
}

export interface Envoy extends AsyncDisposable {
  readonly process: RunningProcess;
  /** Where its admin listens: a Unix socket's path, or host:port. */
  readonly admin: string;
  /** The directory of its bootstrap and admin socket, deleted on dispose. */
  readonly directory: string;
  /** Any status is an answer: /ready is 503 until Envoy is live. */
  adminGet(path: string): Promise<HttpReply>;
  adminPost(path: string): Promise<HttpReply>;
  /** The admin's answer parsed; throws on a status of 400 or above. */
  adminJson(path: string): Promise<unknown>;
  /** Waits until /ready says LIVE: its static and first dynamic resources are there. */
  waitLive(options?: { deadline?: number }): Promise<void>;
  /** The port that a listener is bound to; waits for the listener to exist. */
  listenerPort(name: string, options?: { deadline?: number }): Promise<number>;
  /** Counters and gauges whose names match `filter`, a regular expression of Envoy's own (RE2). */
  stats(filter: string): Promise<Record<string, number>>;
  logs(): string;
  stop(): Promise<ExitStatus>;
}

/** Starts a real Envoy and waits until its admin answers; `waitLive` waits for the rest. */
export async function startEnvoy(options: EnvoyOptions): Promise<Envoy> {
  const program = requirePart('envoy');
  await using cleanup = new AsyncDisposableStack();
  const directory = cleanup.use(await temporaryDirectory('envoy'));
  const admin = { address: { pipe: { path: directory.join('admin.sock'), mode: 0o600 } } };
  await writeFile(directory.join('bootstrap.json'), JSON.stringify({ admin, ...options.bootstrap }));
  const addressFile = directory.join('admin-address');
  const args = [
    ['--config-path', directory.join('bootstrap.json')],
    ['--admin-address-path', addressFile],
    options.baseId === undefined ? ['--disable-hot-restart'] : ['--base-id', String(options.baseId)],
    ['--concurrency', '1'],
    ['--log-level', options.logLevel ?? 'info'],
    options.args ?? [],
  ];
  const started = await startProcess(program, args.flat(), {
    name: 'envoy',
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.deadline === undefined ? {} : { deadline: options.deadline }),
    readyWhen: async () => {
      const address = await readFile(addressFile, 'utf8');
      return address !== '' && (await callAdmin(address, 'GET', '/ready')).status > 0;
    },
  });
  cleanup.use(started);
  const address = await readFile(addressFile, 'utf8');
  return new EnvoyHandle(started, address, directory.path, cleanup.move());
}

/** `address` as Envoy writes it: host:port, or the path of a Unix socket. */
function callAdmin(address: string, method: 'GET' | 'POST', path: string): Promise<HttpReply> {
  return address.startsWith('/')
    ? exchange(`http://localhost${path}`, { method, socketPath: address })
    : exchange(`http://${address}${path}`, { method });
}

const socketAddress = z.object({ port_value: z.number().optional() });
const listeners = z.object({
  listener_statuses: z
    .array(
      z.object({
        name: z.string(),
        local_address: z.object({ socket_address: socketAddress.optional() }).optional(),
      }),
    )
    .default([]),
});
const statistics = z.object({
  stats: z.array(z.object({ name: z.string().optional(), value: z.unknown() })),
});

class EnvoyHandle implements Envoy {
  readonly process: RunningProcess;
  readonly admin: string;
  readonly directory: string;
  readonly #cleanup: AsyncDisposableStack;

  constructor(process: RunningProcess, admin: string, directory: string, cleanup: AsyncDisposableStack) {
    this.process = process;
    this.admin = admin;
    this.directory = directory;
    this.#cleanup = cleanup;
  }

  adminGet(path: string): Promise<HttpReply> {
    return callAdmin(this.admin, 'GET', path);
  }

  adminPost(path: string): Promise<HttpReply> {
    return callAdmin(this.admin, 'POST', path);
  }

  async adminJson(path: string): Promise<unknown> {
    const reply = await this.adminGet(path);
    if (reply.status >= 400) throw new HttpStatusError(`envoy admin ${path}`, reply);
    return JSON.parse(reply.body) as unknown;
  }

  async waitLive({ deadline = 30_000 }: { deadline?: number } = {}): Promise<void> {
    await this.#explain(
      async () => {
        const { status, body } = await this.adminGet('/ready');
        if (status !== 200) throw new Error(`/ready says ${body.trim()}`);
        // /ready says LIVE a moment before the workers listen.
        const started = await this.adminGet('/stats?filter=^listener_manager.workers_started$');
        if (!started.body.includes('workers_started: 1')) throw new Error('its workers have not started');
        return true;
      },
      { deadline, what: 'envoy to be live' },
    );
  }

  async listenerPort(name: string, { deadline = 30_000 }: { deadline?: number } = {}): Promise<number> {
    return await this.#explain(
      async () => {
        const { listener_statuses } = listeners.parse(await this.adminJson('/listeners?format=json'));
        const listener = listener_statuses.find((each) => each.name === name);
        return listener?.local_address?.socket_address?.port_value;
      },
      { deadline, what: `envoy's listener ${name}` },
    );
  }

  async stats(filter: string): Promise<Record<string, number>> {
    const query = `/stats?format=json&type=All&filter=${encodeURIComponent(filter)}`;
    const { stats } = statistics.parse(await this.adminJson(query));
    const numbers = stats.flatMap(({ name, value }) =>
      name === undefined || typeof value !== 'number' ? [] : [[name, value] as const],
    );
    return Object.fromEntries(numbers);
  }

  async #explain<T>(condition: () => Promise<T>, options: { deadline: number; what: string }) {
    const gone = new AbortController();
    const { exited, name } = this.process;
    void exited.then(() => gone.abort(new Error(`${name} ended`)));
    try {
      return await waitFor(condition, { ...options, signal: gone.signal });
    } catch (error) {
      const tail = this.logs().split('\n').slice(-40).join('\n');
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`${reason}\n--- its last output ---\n${tail}`, { cause: error });
    }
  }

  logs(): string {
    return this.process.logs();
  }

  stop(): Promise<ExitStatus> {
    return this.process.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
  }
}
