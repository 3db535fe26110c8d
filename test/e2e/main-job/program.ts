import { join } from 'node:path';
import { type ExitStatus, startProcess } from '../../parts/index.ts';

const root = join(import.meta.dirname, '../../..');

export interface Ended extends ExitStatus {
  readonly stdout: string;
  readonly stderr: string;
  readonly lastLine: string;
}

/** Runs a script of scripts/demo to its end, as its wrapper in scripts/ does once everything is installed. */
export async function runDemo(script: string, args: readonly string[], deadline: number): Promise<Ended> {
  await using child = await startProcess(
    process.execPath,
    [
      '--conditions=citadel-source',
      '--disable-warning=ExperimentalWarning',
      join(root, 'scripts/demo', script),
      ...args,
    ],
    { name: script, cwd: root },
  );
  const timer = setTimeout(() => child.kill('SIGTERM'), deadline);
  try {
    const exit = await child.exited;
    const stdout = child.stdout();
    return { ...exit, stdout, stderr: child.stderr(), lastLine: stdout.trimEnd().split('\n').at(-1) ?? '' };
  } finally {
    clearTimeout(timer);
  }
}
