import { describe, expect, it } from 'vitest';
import { createProgram } from '../../../src/cli/program.ts';

const whole = await createProgram();
/** Completions are made of all. */
const named = whole.commands
  .map((command) => command.name())
  .filter((name) => !/^complet(e|ion)$/.test(name));

describe('the command line', () => {
  it.each(named)('has %s without loading all others, and the same', async (name) => {
    const alone = await createProgram([name, '--help']);
    const find = ({ commands }: typeof whole) => commands.find((command) => command.name() === name);
    expect(find(alone)?.helpInformation()).toBe(find(whole)?.helpInformation());
    expect(alone.commands.length).toBeLessThan(whole.commands.length / 2);
  });

  it.each([
    { words: [], for: 'no word' },
    { words: ['--help'], for: 'its help' },
    { words: ['help', 'policy'], for: 'the help of one' },
    { words: ['polcy'], for: 'a misspelt command' },
    { words: ['complete', '--', 'rotate'], for: 'what a shell asks' },
    { words: ['completion', 'bash'], for: 'a script of completions' },
  ])('has all commands for $for', async ({ words }) => {
    const { commands } = await createProgram(words);
    expect(commands.map((command) => command.name())).toEqual(
      whole.commands.map((command) => command.name()),
    );
  });

  it('prints its version without a command', async () => {
    expect((await createProgram(['--version'])).commands).toEqual([]);
  });
});
