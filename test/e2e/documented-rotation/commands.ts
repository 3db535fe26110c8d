import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Outcome } from '../../support/citadel.ts';

const root = join(import.meta.dirname, '../../..');

/** The lines of the blocks of shell in a document, without comments, by the heading that they stand under. */
export function documentedCommands(document: string): ReadonlyMap<string, readonly string[]> {
  const text = readFileSync(join(root, 'docs', document), 'utf8');
  const found = new Map<string, readonly string[]>();
  let title = '';
  for (const [, heading, block = ''] of text.matchAll(/^#+ (.+)$|^```sh\n([\s\S]*?)^```/gm)) {
    if (heading !== undefined) title = heading;
    const lines = block.split('\n').map((line) => line.replace(/(^|\s+)#.*$/, '').trim());
    const commands = lines.filter((line) => line !== '');
    if (commands.length > 0) found.set(title, [...(found.get(title) ?? []), ...commands]);
  }
  return found;
}

/** Where documented commands are run. */
export interface Place {
  /** In which they run; what a document calls /mnt/evidence. */
  readonly directory: string;
  /** Of the server; what a document calls /var/lib/citadel. */
  readonly dataDirectory: string;
  /** Of the server. */
  readonly config?: string;
}

export interface Expected {
  /** Exit code, 0 without it. */
  readonly code?: number;
  /** What stands for a word in capitals, such as KEY. */
  readonly put?: Readonly<Record<string, string>>;
  readonly stdout?: RegExp;
  readonly stderr?: RegExp;
}

/** One section of a document, whose commands are run in order, each once. */
export interface Section {
  /**
   * Runs the next command by a shell, with a yes where it asks.
   * @param begins with which it must begin
   */
  run(place: Place, begins: string, expected?: Expected): Promise<Outcome>;
  /** Fails where a command was not run. */
  end(): void;
}

export function openSection(title: string, commands: readonly string[]): Section {
  const left = [...commands];
  return {
    async run(place, begins, { code = 0, put = {}, stdout = /^/, stderr = /^/ } = {}) {
      const line = left.shift() ?? '';
      expect(line.startsWith(begins), `${title}: "${line}" is where "${begins}" is expected`).toBe(true);
      const text = substitute(line, put)
        .replaceAll('/mnt/evidence', place.directory)
        .replaceAll('/var/lib/citadel', place.dataDirectory);
      const outcome = await runShell(asks.test(text) ? text.replace(asks, '$& --yes') : text, place);
      const told = `${title}: ${text}\n${outcome.stdout}\n${outcome.stderr}`;
      expect(outcome.code, told).toBe(code);
      expect(outcome.stdout, told).toMatch(stdout);
      expect(outcome.stderr, told).toMatch(stderr);
      return outcome;
    },
    end: () => expect(left, `commands of "${title}" that nothing has run`).toStrictEqual([]),
  };
}

/** Commands that show what they would do, and do it after a yes. */
const asks =
  /^citadel (rotate (start|continue|excuse|abort|recover)|authority (import|taint|revoke)|certificate revoke|backup restore|log accept)\b/;

function substitute(line: string, put: Readonly<Record<string, string>>): string {
  const text = line.replace(/\b[A-Z][A-Z0-9]+\b/g, (word) => put[word] ?? word);
  const outsideOfQuotes = line.replace(/"[^"]*"/g, '');
  for (const [word] of outsideOfQuotes.matchAll(/(?<![\w.])[A-Z][A-Z0-9]+\b(?!=)/g))
    expect(put, `"${line}" names ${word}`).toHaveProperty(word);
  return text;
}

function runShell(text: string, { directory, dataDirectory, config }: Place): Promise<Outcome> {
  const env = {
    PATH: `${join(root, 'scripts')}:${process.env['PATH']}`,
    HOME: directory,
    CITADEL_SOCKET: join(dataDirectory, 'operator.sock'),
    ...(config === undefined ? {} : { CITADEL_CONFIG: config }),
  };
  return new Promise((done) => {
    execFile('sh', ['-c', text], { env, cwd: directory, timeout: 120_000 }, (error, stdout, stderr) =>
      done({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr }),
    );
  });
}
