import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { freePort, type RunningProcess, startProcess, temporaryDirectory } from '../../test/parts/index.ts';
import { developmentPlatform } from '../demo/platform.ts';

/** The compiled program, as a release runs it. */
const program = join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.js');

export function startCompiled(
  name: string,
  args: readonly string[],
  readyWhen: RegExp,
): Promise<RunningProcess> {
  return startProcess(process.execPath, ['--max-semi-space-size=1', program, ...args], {
    name,
    readyWhen,
    deadline: 60_000,
  });
}

export interface RunningServer extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
  readonly directory: string;
  readonly tokenFile: string;
  readonly bundleFile: string;
}

/** A compiled server as in production but for the development issuer: SQLite and keys on disk. */
export async function startRunningServer(): Promise<RunningServer> {
  await using building = new AsyncDisposableStack();
  const { path: directory } = building.use(await temporaryDirectory('bench'));
  const platform = developmentPlatform();
  const port = await freePort();
  const settings = await platform.serverSettings(directory);
  const config = join(directory, 'citadel.yaml');
  const data = join(directory, 'data');
  const listen = { csr: `127.0.0.1:${port}`, metrics: '127.0.0.1:0', operator: '127.0.0.1:0' };
  const limits = { callsPerSecondPerPeer: 100_000 };
  await writeFile(
    config,
    stringify({
      mode: 'development',
      trustDomain: 'bench.example',
      dataDirectory: data,
      listen,
      limits,
      ...settings,
    }),
  );
  const server = building.use(
    await startCompiled('citadel server', ['server', '--config', config], /"message":"ready"/),
  );
  const operator = async (...args: readonly string[]) => {
    const command = [program, ...args, '--socket', join(data, 'operator.sock')];
    await using child = await startProcess(process.execPath, command, { name: 'citadel' });
    await child.exited;
    return child.stdout();
  };
  const identity = await platform.workload({
    directory,
    name: 'workload-1',
    namespace: 'bench',
    serviceAccount: 'caller',
    operator,
  });
  const running = building.move();
  return {
    pid: server.pid,
    port,
    directory,
    ...identity,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Clock ticks a second of /proc/PID/stat: 100 on every Linux that Node runs on. */
const ticks = 100;

/** Seconds of processor time that a process has used, all threads together. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number);
  return ((user ?? 0) + (system ?? 0)) / ticks;
}

/** Resident memory of a process, MiB. */
export async function residentMebibytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}
