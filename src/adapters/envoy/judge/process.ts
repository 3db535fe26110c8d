import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CitadelError, describeError } from '../../../kernel/index.ts';
import { applicationCluster, denyingCluster } from './listeners.ts';

/** Milliseconds for Envoy to begin. */
const patience = 60_000;
const longestLog = 64 * 1024;

export interface JudgingEnvoy extends AsyncDisposable {
  /** By the name of its listener. */
  readonly ports: ReadonlyMap<string, number>;
}

/** @throws CitadelError FailedPrecondition where Envoy does not start, or refuses what it is given */
export async function startJudgingEnvoy(
  binary: string,
  listeners: Uint8Array,
  names: readonly string[],
): Promise<JudgingEnvoy> {
  await using cleanup = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'citadel-judge-'));
  cleanup.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  await writeFile(join(directory, 'listeners.pb'), listeners);
  await writeFile(join(directory, 'envoy.json'), JSON.stringify(bootstrap(directory)), { mode: 0o600 });
  const addressFile = join(directory, 'admin');
  const child = spawn(
    binary,
    [
      ['-c', join(directory, 'envoy.json')],
      ['--admin-address-path', addressFile],
      ['--use-dynamic-base-id', '--concurrency', '1', '--log-level', 'warning'],
    ].flat(),
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const watched = watch(child, binary);
  cleanup.defer(() => stop(child));
  const end = Date.now() + patience;
  while (Date.now() < end) {
    watched.check();
    const ports = await portsOf(addressFile, names);
    if (ports) {
      const owned = cleanup.move();
      return { ports, [Symbol.asyncDispose]: () => owned.disposeAsync() };
    }
    await delay(50);
  }
  throw new CitadelError('FailedPrecondition', `Envoy did not begin within ${patience} ms: ${watched.log()}`);
}

function watch(child: ChildProcess, binary: string) {
  let log = '';
  let failure: string | undefined;
  child.stderr?.setEncoding('utf8');
  child.stderr?.on('data', (chunk: string) => {
    log = (log + chunk).slice(-longestLog);
  });
  child.once('error', (error) => {
    failure = `cannot run ${binary}: ${describeError(error)}; name Envoy’s program with --envoy-binary`;
  });
  child.once('exit', (code) => {
    failure ??= `${binary} ended with ${code}: ${log}`;
  });
  return {
    log: () => log,
    check() {
      failure ??= /^.*(?:update rejected|error adding|error initializing).*$/im.exec(log)?.[0];
      if (failure !== undefined) throw new CitadelError('FailedPrecondition', failure);
    },
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGKILL');
  await gone;
}

/** Undefined while not all of them are there. */
async function portsOf(
  addressFile: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, number> | undefined> {
  try {
    const address = (await readFile(addressFile, 'utf8')).trim();
    if (address === '' || (await (await fetch(`http://${address}/ready`)).text()).trim() !== 'LIVE')
      return undefined;
    // Each line: NAME::ADDRESS:PORT.
    const text = await (await fetch(`http://${address}/listeners`)).text();
    const ports = new Map(
      text.split('\n').flatMap((line) => {
        const [, name, port] = /^(.*)::127\.0\.0\.1:(\d+)$/.exec(line) ?? [];
        return name === undefined ? [] : [[name, Number(port)] as const];
      }),
    );
    return names.every((name) => (ports.get(name) ?? 0) > 0) ? ports : undefined;
  } catch {
    // It has not begun to listen.
    return undefined;
  }
}

const types = 'type.googleapis.com/envoy.extensions.filters';

function bootstrap(directory: string): object {
  const answering = [
    [applicationCluster, 200],
    [denyingCluster, 403],
  ] as const;
  const address = (name: string) => ({ pipe: { path: join(directory, `${name}.sock`) } });
  return {
    node: { id: 'judge', cluster: 'judge' },
    admin: { address: { socket_address: { address: '127.0.0.1', port_value: 0 } } },
    dynamic_resources: { lds_config: { path_config_source: { path: join(directory, 'listeners.pb') } } },
    static_resources: {
      clusters: answering.map(([name]) => ({
        name,
        type: 'STATIC',
        load_assignment: {
          cluster_name: name,
          endpoints: [{ lb_endpoints: [{ endpoint: { address: address(name) } }] }],
        },
      })),
      listeners: answering.map(([name, status]) => ({
        name: `answering-${name}`,
        address: address(name),
        filter_chains: [{ filters: [{ name: 'http', typed_config: answer(name, status) }] }],
      })),
    },
  };
}

function answer(name: string, status: number): object {
  return {
    '@type': `${types}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: name,
    route_config: {
      virtual_hosts: [
        { name, domains: ['*'], routes: [{ match: { prefix: '' }, direct_response: { status } }] },
      ],
    },
    http_filters: [{ name: 'router', typed_config: { '@type': `${types}.http.router.v3.Router` } }],
  };
}
