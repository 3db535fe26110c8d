import { execFile } from 'node:child_process';
import { join } from 'node:path';

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const program = join(import.meta.dirname, '../../scripts/citadel');

/** Runs the program as its users do, in a process of its own. @param directory where it runs */
export function runCitadel(
  args: readonly string[],
  {
    directory,
    home,
    input,
    variables,
  }: {
    readonly directory: string;
    readonly home: string;
    readonly input?: string;
    readonly variables?: NodeJS.ProcessEnv;
  },
): Promise<Outcome> {
  const env = { PATH: process.env['PATH'], CITADEL_HOME: join(directory, home), ...variables };
  return new Promise((done) => {
    const child = execFile(
      program,
      [...args],
      { env, timeout: 30_000, cwd: directory },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        done({ code, stdout, stderr });
      },
    );
    if (input !== undefined) child.stdin?.end(input);
  });
}
