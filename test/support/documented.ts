import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a section of docs/policies.md shows: files, and commands with what they print. */
export interface DocumentedSection {
  readonly files: readonly { readonly name: string; readonly text: string }[];
  readonly commands: readonly { readonly line: string; readonly printed: string }[];
}

export function documentedSection(title: string): DocumentedSection {
  const manual = readFileSync(join(import.meta.dirname, '../../docs/policies.md'), 'utf8');
  const from = manual.indexOf(`\n## ${title}\n`);
  if (from === -1) throw new Error(`docs/policies.md has no section ${title}`);
  const [section = ''] = manual.slice(from + 4).split('\n## ', 1);
  const files = [...section.matchAll(/^```\w+ (\S+)\n([\s\S]*?)^```/gm)];
  const commands = [...section.matchAll(/^```console\n\$ citadel (.*)\n([\s\S]*?)^```/gm)];
  return {
    files: files.map(([, name = '', text = '']) => ({ name, text })),
    commands: commands.map(([, line = '', printed = '']) => ({ line, printed })),
  };
}
