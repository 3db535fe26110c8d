import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { waitFor } from '../../parts/index.ts';

/** What the manual shows one after the other: a file that is written, or a command and what it prints. */
export type WalkStep =
  | { readonly file: string; readonly text: string }
  | { readonly command: string; readonly printed: string };

/** The blocks of docs/policies.md that an author goes through on the mesh of scripts/quickstart. */
export function documentedWalk(): readonly WalkStep[] {
  const manual = readFileSync(join(import.meta.dirname, '../../../docs/policies.md'), 'utf8');
  const [section = ''] = /^## From a denied call to a change that holds$[\s\S]*?(?=^## )/m.exec(manual) ?? [];
  return [...section.matchAll(/^```yaml (\S+)\n([\s\S]*?)^```|^```console\n\$ (.*)\n([\s\S]*?)^```/gm)].map(
    ([, file, text = '', command = '', printed = '']) =>
      file === undefined ? { command, printed } : { file, text },
  );
}

/** Whose output comes a little later, as proxies tell of calls and take changes in. Repeating them changes nothing. */
const patient = /^(?:curl|citadel policy (?:explain|replay|shadow status))/;

/**
 * Goes through the steps as a shell does that has read the quickstart's file.
 * @throws on the first command that does not print what the manual says
 */
export async function walk(
  steps: readonly WalkStep[],
  { environment, directory }: { readonly environment: string; readonly directory: string },
): Promise<void> {
  let denial = '';
  for (const step of steps) {
    if ('file' in step) {
      writeFileSync(join(directory, step.file), step.text);
      continue;
    }
    const command = step.command.replace(name, () => denial);
    const expected = pattern(step.printed);
    const said = async () => {
      const output = await shell(`source ${environment}; ${command}`, directory);
      return { output, fits: expected.test(plain(output)) };
    };
    let last = await said();
    if (!last.fits && patient.test(command))
      await waitFor(async () => (last = await said()).fits, { what: command, deadline: 15_000 }).catch(
        () => undefined,
      );
    const told = `${command}\n${last.output}`;
    if (!last.fits) expect(plain(last.output), told).toBe(plain(step.printed));
    expect(last.fits, told).toBe(true);
    denial = /^x-citadel-denial: (\S+)$/m.exec(last.output)?.[1] ?? denial;
  }
}

/** Both streams, as a terminal shows them. */
function shell(command: string, directory: string): Promise<string> {
  return new Promise((resolve) => {
    const options = { cwd: directory, timeout: 30_000 };
    execFile('bash', ['-c', `exec 2>&1; ${command}`], options, (_, stdout) => resolve(stdout));
  });
}

const name = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** What differs from one mesh to the next, and how wide columns are for it. */
function plain(text: string): string {
  return text
    .replaceAll('\r', '')
    .replaceAll(name, 'NAME')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:]+Z/g, 'TIME')
    .replaceAll(/(?<=:|port )\d{4,5}\b/g, 'PORT')
    .replaceAll(/(?<=Candidate )[0-9a-f]{12}/g, 'HASH')
    .replaceAll(/\b\d+(?= (?:calls?|different)\b)/g, 'N')
    .replaceAll(/(?<=^allowed +)\d+/gm, 'N')
    .replaceAll(/(?<=\S) {2,}/g, '  ')
    .trimEnd();
}

/** `...` on a line of its own is any lines, at the end of a line the rest of it. */
function pattern(printed: string): RegExp {
  const lines = plain(printed).split('\n');
  const source = lines.map((line, at) => {
    const end = at === lines.length - 1 ? '' : '\n';
    if (line === '...') return end === '' ? '[\\s\\S]*' : '(?:.*\\n)*?';
    const rest = line.endsWith(' ...');
    return `${escaped(rest ? line.slice(0, -4) : line)}${rest ? '.*' : ''}${end}`;
  });
  return new RegExp(`^${source.join('')}$`);
}

const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
