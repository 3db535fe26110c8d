import { createInterface } from 'node:readline/promises';
import { ExitRequest, exitCodes } from './exit-codes.ts';

/** Shows what a command would do, and goes on with --yes or a yes at a terminal. @throws ExitRequest otherwise */
export async function confirm(plan: string, yes: boolean | undefined): Promise<void> {
  process.stderr.write(`${plan}\n`);
  if (yes) return;
  if (process.stdin.isTTY && process.stderr.isTTY) {
    const prompt = createInterface({ input: process.stdin, output: process.stderr });
    // Ctrl-D is no answer, and so no yes.
    const answer = await prompt
      .question('Do it? [y/N] ')
      .catch(() => '')
      .finally(() => prompt.close());
    if (/^y(es)?$/i.test(answer.trim())) return;
  }
  process.stderr.write('Nothing was done; add --yes to do it.\n');
  throw new ExitRequest(exitCodes.warning);
}
