import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { CitadelError } from '../../kernel/index.ts';
import type { FilesOptions } from '../options.ts';

const run = promisify(execFile);

/** Tells the program that its files are new: by its command, without a shell, or by a signal. @throws when it cannot */
export async function runHook({ command, signal, deadline = 10_000 }: FilesOptions): Promise<void> {
  if (command !== undefined) {
    const [file, ...args] = command;
    if (file === undefined) throw new CitadelError('InvalidArgument', 'the command after renewal is empty');
    await run(file, args, {
      timeout: deadline,
      killSignal: 'SIGKILL',
      maxBuffer: 64 * 1024,
      encoding: 'utf8',
    });
  }
  if (signal !== undefined) process.kill(await readPid(signal.pidFile), signal.name);
}

async function readPid(file: string): Promise<number> {
  const text = (await readFile(file, 'utf8')).trim();
  const pid = Number(text);
  // 0 and negative numbers mean process groups to kill(2), 1 is init.
  if (!/^\d{1,10}$/.test(text) || pid <= 1) {
    throw new CitadelError('FailedPrecondition', 'the pid file does not hold the number of a process', {
      details: file,
    });
  }
  return pid;
}
