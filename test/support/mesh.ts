import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PrometheusMetrics } from '../../src/adapters/metrics/index.ts';
import { createAgent, envoyAdminSocket, runEnvoy } from '../../src/agent/index.ts';
import { type Clock, type Log, silentLog } from '../../src/kernel/index.ts';
import { exchange, type HttpReply, requirePart, waitFor } from '../parts/index.ts';
import { createApplication } from './http-application.ts';
import { startTestServer, type TestServer, trustDomain } from './server.ts';

export interface MeshWorkload extends AsyncDisposable {
  readonly name: string;
  /** Envoy's admin, any status. */
  admin(path: string): Promise<HttpReply>;
  stats(filter: string): Promise<Readonly<Record<string, number>>>;
  /** Ends Envoy and the agent. */
  stop(): Promise<void>;
}

export interface TestMesh extends AsyncDisposable {
  readonly server: TestServer;
  /** Puts a file of the registry in place, by one rename. */
  write(name: string, text: string): Promise<void>;
  /** An agent in this process and a real Envoy beside it, whose listeners come from the server. */
  startWorkload(name: string, serviceAccount: string, options?: WorkloadOptions): Promise<MeshWorkload>;
}

export interface WorkloadOptions {
  readonly namespace?: string;
  /** Of Envoy; `--drain-time-s` and the like. */
  readonly args?: readonly string[];
  /** Where its Envoy finds the server, in place of the server's own port. */
  readonly serverPort?: number;
  /** Where its agent finds the server, in place of the server's own port. */
  readonly agentPort?: number;
  /** What its agent trusts the server by; default: the bundle now. PEM. */
  readonly roots?: string;
  /** Whether to wait until Envoy has all that it should have; default true. */
  readonly wait?: boolean;
  /** By which its agent proves what it is; default: one of the development issuer. */
  readonly token?: string;
}

export interface MeshOptions {
  readonly registry?: Readonly<Record<string, string>>;
  /** Over the server's own. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly mesh?: Readonly<Record<string, unknown>>;
  readonly log?: Log;
  readonly metrics?: PrometheusMetrics;
  /** Of the server alone. */
  readonly clock?: Clock;
  /** Of a server that was there before; by default a new one. */
  readonly directory?: string;
}

/** A whole server with a registry of files, and workloads on demand. */
export async function startTestMesh(options: MeshOptions = {}): Promise<TestMesh> {
  await using building = new AsyncDisposableStack();
  let directory = '';
  const server = building.use(
    await startTestServer(
      (dataDirectory) => {
        directory = join(dataDirectory, 'registry');
        mkdirSync(directory, { recursive: true });
        for (const [name, text] of Object.entries(options.registry ?? {}))
          writeFileSync(join(directory, name), text);
        return {
          mesh: { rootNamespace: 'root', sources: { files: { directory } }, ...options.mesh },
          ...options.settings,
        };
      },
      {
        ...(options.log ? { log: options.log } : {}),
        ...(options.metrics ? { metrics: options.metrics } : {}),
        ...(options.clock ? { clock: options.clock } : {}),
        ...(options.directory === undefined ? {} : { directory: options.directory }),
      },
    ),
  );
  const write = async (name: string, text: string) => {
    const draft = join(directory, `.${name}.new`);
    await writeFile(draft, text);
    await rename(draft, join(directory, name));
  };
  const running = building.move();
  return {
    server,
    write,
    startWorkload: async (name, serviceAccount, given) =>
      running.use(await startWorkload(server, name, serviceAccount, given)),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** An agent in this process and a real Envoy beside it, whose listeners come from the server. */
export async function startWorkload(
  server: TestServer,
  name: string,
  serviceAccount: string,
  {
    namespace = 'shop',
    args = [],
    wait = true,
    serverPort = server.app.csr.port,
    agentPort = server.app.csr.port,
    roots = server.app.authority.bundle().pem,
    token,
  }: WorkloadOptions = {},
): Promise<MeshWorkload> {
  const home = join(server.directory, `workload-${name}`);
  await mkdir(home, { mode: 0o700 });
  const issue = () =>
    server.tokens.issue({ namespace, serviceAccount, instance: name }, 'istio-ca', 3_600_000);
  await writeFile(join(home, 'token'), token ?? (await issue()).reveal(), { mode: 0o600 });
  await writeFile(join(home, 'roots.pem'), roots);
  const runtimeDirectory = join(home, 'envoy');
  const adminSocket = envoyAdminSocket(runtimeDirectory);
  const socketPath = join(home, 'agent.sock');
  const agent = createAgent({
    server: { address: `127.0.0.1:${agentPort}`, serverName: 'localhost' },
    trust: { kind: 'bundle-file', path: join(home, 'roots.pem') },
    token: { file: join(home, 'token') },
    trustDomain,
    socket: { path: socketPath },
    envoy: { adminSocket },
  });
  const stopping = new AbortController();
  const stopAgent = new AbortController();
  const agentRuns = agent.run(stopAgent.signal);
  await Promise.race([agent.listening, agentRuns]);
  const logFile = join(home, 'envoy.log');
  const envoyRuns = runEnvoy(
    {
      command: [
        requirePart('envoy'),
        '--disable-hot-restart',
        '--concurrency',
        '1',
        '--log-path',
        logFile,
        '--log-level',
        'info',
        ...args,
      ],
      socketPath,
      runtimeDirectory,
      controlPlane: {
        address: { host: '127.0.0.1', port: serverPort },
        serverName: 'localhost',
        workloadName: name,
      },
      node: { id: name, cluster: namespace },
      drainSeconds: 1,
      killSeconds: 1,
    },
    stopping.signal,
    silentLog,
  );
  const stop = async () => {
    stopping.abort();
    await envoyRuns;
    stopAgent.abort();
    await agentRuns;
  };
  const admin = (path: string) => exchange(`http://localhost${path}`, { socketPath: adminSocket });
  const workload: MeshWorkload = {
    name,
    admin,
    async stats(filter) {
      const { body } = await admin(`/stats?filter=${encodeURIComponent(filter)}`);
      const lines = body.split('\n').flatMap((line) => {
        const [, key = '', value] = /^(.+): (\d+)$/.exec(line) ?? [];
        return value === undefined ? [] : [[key, Number(value)] as const];
      });
      return Object.fromEntries(lines);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
  if (wait) {
    try {
      await waitFor(async () => (await admin('/ready')).status === 200, {
        what: `the Envoy of ${name} to be ready`,
      });
      await waitFor(
        async () =>
          ((await workload.stats('^listener_manager.workers_started$'))['listener_manager.workers_started'] ??
            0) === 1,
        { what: `the workers of ${name}` },
      );
    } catch (error) {
      const tail = (await readFile(logFile, 'utf8').catch(() => '')).split('\n').slice(-40).join('\n');
      await stop();
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n--- Envoy ---\n${tail}`, {
        cause: error,
      });
    }
  }
  return workload;
}

export interface Application extends AsyncDisposable {
  readonly port: number;
}

/** A program behind a proxy: tells what it was asked, and by whom according to its proxy. */
export async function startApplication(name: string): Promise<Application> {
  const server = createApplication((request, response) => {
    const caller = request.headers['x-forwarded-client-cert'] ?? 'nobody known';
    response.setHeader('x-caller', caller);
    response.end(`${name} ${request.method} ${request.url}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the application has no port');
  return {
    port: address.port,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
