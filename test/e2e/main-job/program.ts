import { join } from 'node:path';
import { type ExitStatus, type RunningProcess, startProcess } from '../../parts/index.ts';

const root = join(import.meta.dirname, '../../..');

export interface Ended extends ExitStatus {
  readonly stdout: string;
  readonly stderr: string;
  readonly lastLine: string;
}

/** Runs a script of scripts/demo to its end, as its wrapper in scripts/ does once everything is installed. */
export async function runDemo(script: string, args: readonly string[], deadline: number): Promise<Ended> {
  await using child = await startDemo(script, args);
  const timer = setTimeout(() => child.kill('SIGTERM'), deadline);
  try {
    const exit = await child.exited;
    const stdout = child.stdout();
    return { ...exit, stdout, stderr: child.stderr(), lastLine: stdout.trimEnd().split('\n').at(-1) ?? '' };
  } finally {
    clearTimeout(timer);
  }
}

/** Starts one of them. @param readyWhen what it has printed by then */
export function startDemo(
  script: string,
  args: readonly string[],
  readyWhen?: RegExp,
): Promise<RunningProcess> {
  const program = join(root, 'scripts/demo', script);
  const flags = ['--conditions=citadel-source', '--disable-warning=ExperimentalWarning'];
  return startProcess(process.execPath, [...flags, program, ...args], {
    name: script,
    cwd: root,
    ...(readyWhen ? { readyWhen, deadline: 90_000 } : {}),
  });
}
