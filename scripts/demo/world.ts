import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
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
import { citadel, startCitadel } from './citadel.ts';
import { envoyConfig, type HttpCluster, type HttpListener } from './envoy-config.ts';
import type { Platform } from './platform.ts';

export const trustDomain = 'demo.example';
export const namespace = 'shop';

export interface Workload {
  readonly serviceAccount: string;
  readonly spiffeId: string;
  readonly agent: RunningProcess;
}

export interface World extends AsyncDisposable {
  readonly directory: string;
  readonly server: RunningProcess;
  /** Runs a `citadel` command against the server, as the local operator. */
  operator(...args: readonly string[]): Promise<string>;
  /** Starts an agent with its Envoy beside one workload. */
  startWorkload(
    serviceAccount: string,
    listeners: readonly HttpListener[],
    clusters: readonly HttpCluster[],
  ): Promise<Workload>;
}

export interface WorldOptions {
  readonly platform: Platform;
  /** Lifetime of workload certificates, for example `20s`. */
  readonly ttl: string;
}

/** A server and, on demand, workloads with real Envoys: all on loopback, each a process, gone at the end. */
export async function startWorld({ platform, ttl }: WorldOptions): Promise<World> {
  await using building = new AsyncDisposableStack();
  const temporary = building.use(await temporaryDirectory('demo'));
  const directory = temporary.path;
  const port = await freePort();
  const settings = await platform.serverSettings(directory);
  const config = join(directory, 'citadel.yaml');
  await writeFile(
    config,
    stringify({
      mode: 'development',
      trustDomain,
      dataDirectory: join(directory, 'data'),
      listen: { csr: `127.0.0.1:${port}`, metrics: '127.0.0.1:0', operator: '127.0.0.1:0' },
      certificate: { defaultTtl: ttl },
      ...settings,
    }),
  );
  const server = building.use(
    await startCitadel('citadel server', ['server', '--config', config], /"message":"ready"/),
  );
  const socket = join(directory, 'data', 'operator.sock');
  const operator = (...args: readonly string[]) => citadel(...args, '--socket', socket);
  const envoy = requirePart('envoy');

  const startWorkload: World['startWorkload'] = async (serviceAccount, listeners, clusters) => {
    const home = join(directory, serviceAccount);
    await mkdir(home, { mode: 0o700 });
    const identity = await platform.workload({ directory: home, namespace, serviceAccount, operator });
    const bootstrap = join(home, 'envoy.json');
    await writeFile(bootstrap, JSON.stringify(envoyConfig(listeners, clusters)));
    const agentConfig = join(home, 'agent.yaml');
    await writeFile(
      agentConfig,
      stringify({
        trustDomain,
        server: {
          address: `127.0.0.1:${port}`,
          name: 'localhost',
          trust: { bundleFile: identity.bundleFile },
        },
        token: { file: identity.tokenFile },
        certificate: { ttl },
        socket: { path: join(home, 'agent.sock') },
      }),
    );
    const command = [
      'agent',
      '--config',
      agentConfig,
      '--exec',
      envoy,
      '-c',
      bootstrap,
      '--use-dynamic-base-id',
      '--concurrency',
      '1',
      '-l',
      'info',
    ];
    const agent = running.use(
      await startCitadel(`agent of ${serviceAccount}`, command, /all dependencies initialized/),
    );
    // Envoy's last word is said before its workers listen.
    await Promise.all(
      listeners.map(({ name, port: listened }) =>
        waitFor(() => accepts(listened), { what: `the listener ${name} of ${serviceAccount}` }),
      ),
    );
    return {
      serviceAccount,
      spiffeId: `spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount}`,
      agent,
    };
  };

  const running = building.move();
  return { directory, server, operator, startWorkload, [Symbol.asyncDispose]: () => running.disposeAsync() };
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
