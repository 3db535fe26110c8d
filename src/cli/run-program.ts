import { exitCodes, explainError } from './exit-codes.ts';
import { printable } from './output.ts';
import { createProgram } from './program.ts';

/**
 * Does what the words say, and tells what went wrong on standard error; throws nothing.
 * @param words what follows the program's name
 * @returns its exit code
 */
export async function runProgram(words: readonly string[]): Promise<number> {
  try {
    const program = await createProgram(words);
    await program.parseAsync(words, { from: 'user' });
    return exitCodes.ok;
  } catch (error) {
    const { exitCode, message } = explainError(error);
    if (message !== undefined)
      process.stderr.write(`citadel: ${message.split('\n').map(printable).join('\n')}\n`);
    return exitCode;
  }
}
