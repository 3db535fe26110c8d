import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type RunningProcess,
  startProcess,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../parts/index.ts';

const program = join(import.meta.dirname, '../../scripts/citadel');

/** Completions come from the program; a command that was typed to its end is only shown. */
const startup = `
bind 'set enable-bracketed-paste off'
PS1=
citadel() {
  if [[ $1 == complet* ]]; then ${program} "$@"; else echo "ran:$*."; fi
}
source <(citadel completion bash)
source <(citadel completion bash) && echo 'bash is ready'
`;

describe.runIf(process.platform === 'linux')('citadel completion', () => {
  let directory: TemporaryDirectory;
  let bash: RunningProcess;
  beforeAll(async () => {
    directory = await temporaryDirectory('completion');
    await writeFile(directory.join('startup'), startup);
    await writeFile(directory.join('citadel.yaml'), '');
    // Completion is readline's, which wants a terminal: script(1) gives it one.
    bash = await startProcess(
      'script',
      ['--quiet', '--command', 'bash --noprofile --rcfile startup -i', '/dev/null'],
      {
        cwd: directory.path,
        env: { TERM: 'dumb', INPUTRC: '/dev/null' },
        stdin: 'pipe',
        readyWhen: /^bash is ready/,
      },
    );
  });
  afterAll(async () => {
    bash?.write('\u0015exit\n');
    await bash?.stop();
    await directory?.[Symbol.asyncDispose]();
  });

  it.each([
    ['a command', 'citadel certi\t', 'certificate'],
    ['a command’s command', 'citadel certificate sh\tabcdef', 'certificate show abcdef'],
    ['an option', 'citadel certificate list --iss\tx', 'certificate list --issuer x'],
    ['an option’s value', 'citadel certificate list -o js\t', 'certificate list -o json'],
    ['a value behind a sign of equality', 'citadel check --output=ya\t', 'check --output=yaml'],
    [
      'an argument behind one with a colon',
      'citadel operator grant operator:x vi\t',
      'operator grant operator:x viewer',
    ],
    ['a file', 'citadel server --config cita\t', 'server --config citadel.yaml'],
  ])('completes %s', async (_name, typed, expected) => {
    bash.write(`${typed}\n`);
    await bash.line(new RegExp(`^ran:${expected}\\.`));
  });

  it('offers all values behind a sign of equality', async () => {
    bash.write('citadel check --output=\t\t');
    await bash.line(/^json +table +yaml/);
    bash.write('\u0015\n');
  });

  it('runs nothing of what is typed', async () => {
    bash.write('citadel certificate show "$(touch run-by-completion)" sh\t\u0015echo "it is""over"\n');
    await bash.line(/^it isover/);
    expect(existsSync(directory.join('run-by-completion'))).toBe(false);
  });

  it.each(['zsh', 'fish'])('prints a script for %s that asks the same program', async (shell) => {
    const printed = await startProcess(program, ['completion', shell]);
    expect(await printed.exited).toMatchObject({ code: 0 });
    expect(printed.stdout()).toContain('citadel complete -- ');
  });
});
