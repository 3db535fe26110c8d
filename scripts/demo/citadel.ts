import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type RunningProcess, startProcess } from '../../test/parts/index.ts';

const root = join(import.meta.dirname, '..', '..');
const node = process.execPath;
const program = [
  '--conditions=citadel-source',
  '--disable-warning=ExperimentalWarning',
  join(root, 'src/cli/main.ts'),
];

/** Starts `citadel ...` as a process of its own, and waits until its log says that it is ready, where it is to. */
export function startCitadel(
  name: string,
  args: readonly string[],
  readyWhen?: RegExp,
): Promise<RunningProcess> {
  return startProcess(node, [...program, ...args], {
    name,
    ...(readyWhen ? { readyWhen } : {}),
    deadline: 60_000,
    stopDeadline: 15_000,
  });
}

/** Runs `citadel ...` to its end. @returns its standard output */
export async function citadel(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(node, [...program, ...args], {
    timeout: 60_000,
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
}
