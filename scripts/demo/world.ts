import { once } from 'node:events';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { stringify } from 'yaml';
import {
  freePort,
  type RunningProcess,
  requirePart,
  temporaryDirectory,
  waitFor,
} from '../../test/parts/index.ts';
import { type Outcome, runCitadel } from '../../test/support/citadel.ts';
import { citadel, startCitadel } from './citadel.ts';
import { envoyConfig, type HttpCluster, type HttpListener } from './envoy-config.ts';
import type { Platform } from './platform.ts';

export const trustDomain = 'demo.example';
export const namespace = 'shop';
/** Policies there hold for the whole mesh. */
const rootNamespace = 'citadel-system';

export interface Workload {
  readonly serviceAccount: string;
  readonly spiffeId: string;
  readonly agent: RunningProcess;
}

export interface World extends AsyncDisposable {
  readonly directory: string;
  /** On which agents and Envoys find the server. */
  readonly serverPort: number;
  /** On which operators find it. */
  readonly operatorPort: number;
  /** Of its console; without a workbench there is none. */
  readonly consoleOrigin: string;
  /** Kills the server, as a crash would, and starts it again. */
  crashServer(): Promise<void>;
  /** Stops the server, as its operator would, and starts it with changed settings. */
  restartServer(change: (settings: Settings) => Settings): Promise<void>;
  /** The present one: each restart is another process. */
  readonly server: RunningProcess;
  /** Runs a `citadel` command against the server, as the local operator. */
  operator(...args: readonly string[]): Promise<string>;
  /** The same, for one that may be refused. */
  tryOperator(...args: readonly string[]): Promise<Outcome>;
  /** Starts one that goes on for longer. */
  startOperator(...args: readonly string[]): Promise<RunningProcess>;
  /** Starts an agent with its Envoy beside one workload. */
  startWorkload(
    serviceAccount: string,
    listeners: readonly HttpListener[],
    clusters: readonly HttpCluster[],
    options?: { readonly serverPort?: number },
  ): Promise<Workload>;
  /** Puts a file into the registry that the control plane reads, by one rename. */
  writeRegistry(name: string, text: string): Promise<void>;
  /**
   * Starts an agent whose Envoy has everything from the control plane; the registry names it. `ports` are what it will
   * listen on, to be waited for.
   */
  startFollower(name: string, serviceAccount: string, ports: readonly number[]): Promise<Workload>;
}

/** The server's, as its configuration file has them. */
export type Settings = Readonly<Record<string, unknown>>;

export interface WorldOptions {
  readonly platform: Platform;
  /** Lifetime of workload certificates, for example `20s`. */
  readonly ttl: string;
  /** Of the server's own, and of proxies that it configures; default: the same. */
  readonly lasting?: string;
  /** For somebody who writes policies there: a console, and proxies tell of each call. */
  readonly workbench?: boolean;
}

/** A server and, on demand, workloads with real Envoys: all on loopback, each a process, gone at the end. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const { platform, ttl, lasting = ttl, workbench = false } = options;
  await using building = new AsyncDisposableStack();
  const temporary = building.use(await temporaryDirectory('demo'));
  const directory = temporary.path;
  const [port, operatorPort, consolePort] = await Promise.all([freePort(), freePort(), freePort()]);
  const listen = {
    csr: port,
    metrics: 0,
    operator: operatorPort,
    ...(workbench && { console: consolePort }),
  };
  let settings: Settings = await platform.serverSettings(directory);
  const registry = join(directory, 'registry');
  await mkdir(registry);
  const config = join(directory, 'citadel.yaml');
  const startServer = async () => {
    await writeFile(
      config,
      stringify({
        mode: 'development',
        trustDomain,
        dataDirectory: join(directory, 'data'),
        listen: Object.fromEntries(Object.entries(listen).map(([name, at]) => [name, `127.0.0.1:${at}`])),
        certificate: { defaultTtl: lasting },
        mesh: {
          rootNamespace,
          sources: { files: { directory: registry } },
          ...(workbench && { accessLog: { sample: 100 } }),
        },
        ...(workbench && { console: {} }),
        ...settings,
      }),
    );
    return startCitadel('citadel server', ['server', '--config', config], /"message":"ready"/);
  };
  let server = await startServer();
  building.defer(async () => {
    await server.stop();
  });
  const crashServer = async () => {
    server.kill('SIGKILL');
    await server.exited;
    server = await startServer();
  };
  const restartServer: World['restartServer'] = async (change) => {
    settings = change(settings);
    await server.stop();
    server = await startServer();
  };
  const socket = join(directory, 'data', 'operator.sock');
  const operator = (...args: readonly string[]) => citadel(...args, '--socket', socket);
  const tryOperator: World['tryOperator'] = (...args) =>
    runCitadel([...args, '--socket', socket], { directory, home: 'nobody' });
  const startOperator: World['startOperator'] = (...args) =>
    startCitadel(`citadel ${args.join(' ')}`, [...args, '--socket', socket]);
  const envoy = requirePart('envoy');

  /** An agent with an Envoy beside it. @param more its configuration beyond what each has */
  const startAgent = async (
    name: string,
    serviceAccount: string,
    more: Readonly<Record<string, unknown>>,
    envoyArguments: (home: string) => Promise<readonly string[]>,
    serverPort = port,
  ): Promise<Workload> => {
    const home = join(directory, name);
    await mkdir(home, { mode: 0o700 });
    const identity = await platform.workload({ directory: home, name, namespace, serviceAccount, operator });
    const agentConfig = join(home, 'agent.yaml');
    await writeFile(
      agentConfig,
      stringify({
        trustDomain,
        server: {
          address: `127.0.0.1:${serverPort}`,
          name: 'localhost',
          trust: { bundleFile: identity.bundleFile },
        },
        token: { file: identity.tokenFile },
        certificate: { ttl },
        socket: { path: join(home, 'agent.sock') },
        ...more,
      }),
    );
    const command = ['agent', '--config', agentConfig, '--exec', envoy, ...(await envoyArguments(home))];
    const common = ['--use-dynamic-base-id', '--concurrency', '1', '-l', 'info'];
    const agent = running.use(
      await startCitadel(`agent of ${name}`, [...command, ...common], /all dependencies initialized/),
    );
    return {
      serviceAccount,
      spiffeId: `spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount}`,
      agent,
    };
  };
  // Envoy's last word is said before its workers listen.
  const listening = async (name: string, ports: readonly number[]) => {
    await Promise.all(
      ports.map((listened) => waitFor(() => accepts(listened), { what: `port ${listened} of ${name}` })),
    );
  };

  const startWorkload: World['startWorkload'] = async (
    serviceAccount,
    listeners,
    clusters,
    { serverPort } = {},
  ) => {
    const files = async (home: string) => {
      const bootstrap = join(home, 'envoy.json');
      await writeFile(bootstrap, JSON.stringify(envoyConfig(listeners, clusters)));
      return ['-c', bootstrap];
    };
    const workload = await startAgent(serviceAccount, serviceAccount, {}, files, serverPort);
    await listening(
      serviceAccount,
      listeners.map((each) => each.port),
    );
    return workload;
  };
  const startFollower: World['startFollower'] = async (name, serviceAccount, ports) => {
    // Envoy's own drain time, which is long: what is drained stays for as long as it may.
    const follow = {
      certificate: { ttl: lasting },
      envoy: { drain: '10m', controlPlane: { workload: name } },
    };
    const workload = await startAgent(name, serviceAccount, follow, async () => []);
    await listening(name, ports);
    return workload;
  };
  const writeRegistry: World['writeRegistry'] = async (name, text) => {
    const draft = join(registry, `.${name}.new`);
    await writeFile(draft, text);
    await rename(draft, join(registry, name));
  };

  const running = building.move();
  return {
    directory,
    serverPort: port,
    operatorPort,
    consoleOrigin: `https://localhost:${consolePort}`,
    crashServer,
    restartServer,
    get server() {
      return server;
    },
    operator,
    tryOperator,
    startOperator,
    startWorkload,
    writeRegistry,
    startFollower,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  try {
    await once(socket, 'connect');
    return true;
  } finally {
    socket.destroy();
  }
}
