import { mkdir, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { z } from 'zod';
import { exchange, HttpStatusError } from './http.ts';
import { requirePart } from './locate.ts';
import { freePort } from './ports.ts';
import { type RunningProcess, startProcess } from './process.ts';
import { type TemporaryDirectory, temporaryDirectory } from './temporary.ts';
import { waitFor } from './wait-for.ts';

export interface OpenBao extends AsyncDisposable {
  /** The base URL, `http://127.0.0.1:port`, or https with `tls`; the same after a restart. */
  readonly address: string;
  readonly rootToken: string;
  readonly unsealKey: string;
  /**
   * Calls the API below /v1/ (`sys/mounts/transit`) with the root token, or with `token`; null sends none. Gives the parsed
   * JSON, `undefined` for an empty reply; throws HttpStatusError on a status of 400 or above.
   */
  request(method: string, path: string, body?: object, options?: { token?: string | null }): Promise<unknown>;
  seal(): Promise<void>;
  unseal(): Promise<void>;
  /** Ends the process (SIGKILL when `kill`); the data stays, `start` brings it back. */
  stop(options?: { kill?: boolean }): Promise<void>;
  /** Starts the stopped process; sealed until `unseal`, as a real one is. */
  start(): Promise<void>;
  /** stop, start and, unless told otherwise, unseal. */
  restart(options?: { unseal?: boolean; kill?: boolean }): Promise<void>;
  logs(): string;
}

export interface OpenBaoOptions {
  /** Serves TLS, for 127.0.0.1: certificate chain, its key, and the authority to verify it by, all PEM. */
  readonly tls?: { readonly chain: string; readonly key: string; readonly ca: string };
}

/**
 * Starts a real OpenBao server with raft storage in a temporary directory (this release has no file storage), initialises
 * it with one unseal key and unseals it. It is not the development mode: sealing, unsealing and restarts behave as in
 * production. Without `tls` it speaks plain HTTP, which is acceptable only because it listens on loopback for a test.
 */
export async function startOpenBao({ tls }: OpenBaoOptions = {}): Promise<OpenBao> {
  await using cleanup = new AsyncDisposableStack();
  const directory = cleanup.use(await temporaryDirectory('openbao'));
  const server = new OpenBaoHandle(directory, await freePort(), await freePort(), tls);
  cleanup.defer(() => server.stop());
  await server.configure();
  await server.start();
  await server.initialise();
  await server.unseal();
  server.owned = cleanup.move();
  return server;
}

const initialised = z.object({ keys_base64: z.tuple([z.string()]), root_token: z.string() });

class OpenBaoHandle implements OpenBao {
  readonly address: string;
  rootToken = '';
  unsealKey = '';
  owned: AsyncDisposableStack | undefined;
  readonly #directory: TemporaryDirectory;
  readonly #host: string;
  readonly #clusterPort: number;
  readonly #tls: OpenBaoOptions['tls'];
  readonly #agent: Agent | undefined;
  #process: RunningProcess | undefined;

  constructor(directory: TemporaryDirectory, port: number, clusterPort: number, tls: OpenBaoOptions['tls']) {
    this.#directory = directory;
    this.#host = `127.0.0.1:${port}`;
    this.#clusterPort = clusterPort;
    this.#tls = tls;
    this.#agent = tls && new Agent({ ca: tls.ca });
    this.address = `${tls ? 'https' : 'http'}://${this.#host}`;
  }

  async configure(): Promise<void> {
    const cluster = `127.0.0.1:${this.#clusterPort}`;
    await mkdir(this.#directory.join('raft'));
    const listener = { address: this.#host, cluster_address: cluster, ...(await this.#listenerTls()) };
    const config = {
      storage: { raft: { path: this.#directory.join('raft'), node_id: 'test', performance_multiplier: 1 } },
      listener: [{ tcp: listener }],
      api_addr: this.address,
      cluster_addr: `http://${cluster}`,
    };
    await writeFile(this.#directory.join('config.json'), JSON.stringify(config));
  }

  async #listenerTls(): Promise<object> {
    if (!this.#tls) return { tls_disable: true };
    const [certificate, key] = [this.#directory.join('tls.crt'), this.#directory.join('tls.key')];
    await writeFile(certificate, this.#tls.chain);
    await writeFile(key, this.#tls.key, { mode: 0o600 });
    return { tls_cert_file: certificate, tls_key_file: key };
  }

  async start(): Promise<void> {
    if (this.#process !== undefined && this.#process.exit === undefined)
      throw new Error('openbao is running already');
    this.#process = await startProcess(
      requirePart('openbao'),
      ['server', `-config=${this.#directory.join('config.json')}`],
      {
        name: 'openbao',
        // A developer's own BAO_* and VAULT_* variables are for another server.
        env: Object.fromEntries(
          Object.keys(process.env)
            .filter((key) => /^(BAO|VAULT)_/.test(key))
            .map((key) => [key, undefined]),
        ),
        readyWhen: async () => (await this.#health()) > 0,
      },
    );
  }

  /** 200 active, 429 standby, 501 not initialised, 503 sealed. */
  async #health(): Promise<number> {
    const call = { deadline: 5_000, ...(this.#agent ? { agent: this.#agent } : {}) };
    return (await exchange(`${this.address}/v1/sys/health`, call)).status;
  }

  async initialise(): Promise<void> {
    const shares = { secret_shares: 1, secret_threshold: 1 };
    const reply = initialised.parse(await this.request('PUT', 'sys/init', shares, { token: null }));
    this.rootToken = reply.root_token;
    this.unsealKey = reply.keys_base64[0];
  }

  async request(
    method: string,
    path: string,
    body?: object,
    { token = this.rootToken }: { token?: string | null } = {},
  ): Promise<unknown> {
    const reply = await exchange(`${this.address}/v1/${path.replace(/^\/?(v1\/)?/, '')}`, {
      method,
      headers: token === null ? {} : { 'x-vault-token': token },
      ...(this.#agent ? { agent: this.#agent } : {}),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (reply.status >= 400) throw new HttpStatusError(`openbao ${method} ${path}`, reply);
    return reply.body === '' ? undefined : (JSON.parse(reply.body) as unknown);
  }

  async seal(): Promise<void> {
    await this.request('PUT', 'sys/seal');
    await waitFor(async () => (await this.#health()) === 503, { what: 'openbao to be sealed' });
  }

  async unseal(): Promise<void> {
    await this.request('PUT', 'sys/unseal', { key: this.unsealKey }, { token: null });
    // Unsealed is not yet active: a server of one still has to elect itself.
    await waitFor(async () => (await this.#health()) === 200, { what: 'openbao to be active' });
  }

  async stop({ kill = false }: { kill?: boolean } = {}): Promise<void> {
    if (kill) this.#process?.kill('SIGKILL');
    await this.#process?.stop();
  }

  async restart({ unseal = true, kill = false }: { unseal?: boolean; kill?: boolean } = {}): Promise<void> {
    await this.stop({ kill });
    await this.start();
    if (unseal) await this.unseal();
  }

  logs(): string {
    return this.#process?.logs() ?? '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.owned?.disposeAsync();
  }
}
