import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../../src/cli/program.ts';

const root = join(import.meta.dirname, '../../..');
const program = await createProgram();
const documents = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)].filter(
  (name) => name.endsWith('.md'),
);

/** Every `citadel ...` of a document, in its text or in a block of shell. */
function mentioned(document: string): readonly string[] {
  const text = readFileSync(join(root, document), 'utf8');
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([, block = '']) =>
    block.split('\n'),
  );
  const inline = [...text.matchAll(/`(citadel [^`]+)`/g)].map(([, code = '']) => code.replaceAll('\n', ' '));
  return [...blocks.filter((line) => line.startsWith('citadel ')), ...inline].map((line) =>
    line.replace(/\s+#.*$/, '').replace(/\s+[|>].*$/, ''),
  );
}

/** What the program does not know of a command line; empty: nothing. */
function unknownOf(line: string): readonly string[] {
  const words = line
    .replace(/"[^"]*"|'[^']*'/g, 'TEXT')
    .split(/\s+/)
    .slice(1);
  // What comes behind --exec is another program's.
  const own = words.includes('--exec') ? words.slice(0, words.indexOf('--exec')) : words;
  let commands: readonly Command[] = [program];
  const unknown: string[] = [];
  for (const word of own) {
    if (word.startsWith('--')) {
      const name = word.split('=')[0];
      if (!commands.some(({ options }) => options.some(({ long }) => long === name))) unknown.push(word);
    } else if (!word.startsWith('-') && commands.every(({ commands: below }) => below.length > 0)) {
      const named = word
        .split('|')
        .map((name) => commands.flatMap(({ commands: below }) => below).find((each) => each.name() === name));
      if (named.includes(undefined)) return [word];
      commands = named.filter((each) => each !== undefined);
    }
  }
  return unknown;
}

describe('commands that are mentioned exist, with their options', () => {
  it.each(documents)('in %s', (document) => {
    const wrong = mentioned(document).flatMap((line) => unknownOf(line).map((word) => `${line}: ${word}`));
    expect(wrong).toStrictEqual([]);
  });

  it('is not true of others', () => {
    expect(unknownOf('citadel rotate begin')).toStrictEqual(['begin']);
    expect(unknownOf('citadel rotate start --quickly')).toStrictEqual(['--quickly']);
  });
});
