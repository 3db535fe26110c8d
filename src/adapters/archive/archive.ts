import { hash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Archive, Archived } from '../../domain/ports/index.ts';
import { CitadelError, describeError, systemErrorCode } from '../../kernel/index.ts';

export interface ArchiveOptions {
  /** Ours alone; made where there is none. */
  readonly directory: string;
  /** What is kept, as `key set`: what was written as something else is not read. */
  readonly what: string;
  /** Bytes of one file at most. */
  readonly largest: number;
}

const format = 'citadel-archive/1';
const draftFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;

/**
 * Keeps what was read from outside as files, one each, replaced by a rename. What they hold is no secret, but whoever
 * can write them says what is believed while its source is away: they are ours alone, and a damaged one is not read.
 * A file is one line that says what it is, with a hash over all, and then the content as JSON.
 */
export function createArchive({ directory, what, largest }: ArchiveOptions): Archive {
  // Authors choose ids: none of it may become part of a path.
  const nameOf = (id: string) => `${hash('sha256', id, 'hex')}.json`;
  const fileOf = (id: string) => join(directory, nameOf(id));
  const doubted = (id: string, why: string) =>
    new CitadelError('DataLoss', `the ${what} that is kept cannot be believed: ${why}`, {
      details: fileOf(id),
    });
  return {
    async load(id) {
      const text = await readPrivate(fileOf(id), largest, (why) => doubted(id, why));
      if (text === undefined) return undefined;
      const end = text.indexOf('\n');
      const head = readHead(text.slice(0, Math.max(0, end)));
      if (head === undefined) throw doubted(id, 'it is damaged');
      const body = text.slice(end + 1);
      if (head.format !== format || head.what !== what || head.id !== id)
        throw doubted(id, 'it is another one, or of another version');
      if (head.hash !== hashOf(what, id, head.at, body)) throw doubted(id, 'it is damaged');
      return { content: JSON.parse(body) as unknown, at: new Date(head.at) };
    },
    async save(id, { content, at }: Archived) {
      const body = JSON.stringify(content);
      const time = at.toISOString();
      const head = { format, what, id, at: time, hash: hashOf(what, id, time, body) };
      const text = `${JSON.stringify(head)}\n${body}`;
      if (Buffer.byteLength(text) > largest)
        throw new CitadelError(
          'ResourceExhausted',
          `the ${what} is larger than the ${largest} bytes that are kept`,
        );
      await replace(directory, fileOf(id), text).catch((error: unknown) => {
        throw new CitadelError('Unavailable', `the ${what} cannot be kept${codeOf(error)}`, {
          details: describeError(error),
          cause: error,
        });
      });
    },
    async retain(ids) {
      const kept = new Set([...ids].map(nameOf));
      const names = await readdir(directory).catch((error: unknown) => {
        if (isMissing(error)) return [];
        throw error;
      });
      for (const name of names)
        if (ownName.test(name) && !kept.has(name.replace(/\.new$/, '')))
          await rm(join(directory, name), { force: true });
    },
  };
}

const ownName = /^[0-9a-f]{64}\.json(?:\.new)?$/;

type Head = Readonly<Record<'format' | 'what' | 'id' | 'at' | 'hash', string>>;

function readHead(line: string): Head | undefined {
  try {
    const head: unknown = JSON.parse(line);
    return isHead(head) ? head : undefined;
  } catch {
    return undefined;
  }
}

function isHead(value: unknown): value is Head {
  if (typeof value !== 'object' || value === null) return false;
  const fields: Readonly<Record<string, unknown>> = { ...value };
  const texts = ['format', 'what', 'id', 'at', 'hash'].map((name) => fields[name]);
  return texts.every((text) => typeof text === 'string') && !Number.isNaN(Date.parse(String(fields['at'])));
}

function hashOf(what: string, id: string, at: string, body: string): string {
  return hash('sha256', `${JSON.stringify([format, what, id, at])}\n${body}`, 'hex');
}

/** @returns undefined where there is no such file */
async function readPrivate(
  file: string,
  largest: number,
  doubted: (why: string) => CitadelError,
): Promise<string | undefined> {
  try {
    await using handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats = await handle.stat();
    const why = objection(stats, largest);
    if (why !== undefined) throw doubted(why);
    return await handle.readFile('utf8');
  } catch (error) {
    if (error instanceof CitadelError) throw error;
    if (isMissing(error)) return undefined;
    throw doubted(`it cannot be read${codeOf(error)}`);
  }
}

function isMissing(error: unknown): boolean {
  return systemErrorCode(error) === 'ENOENT';
}

function codeOf(error: unknown): string {
  const code = systemErrorCode(error);
  return code === undefined ? '' : ` (${code})`;
}

function objection(stats: Stats, largest: number): string | undefined {
  const owner = process.geteuid?.();
  if (!stats.isFile()) return 'it is no regular file';
  if (owner !== undefined && stats.uid !== owner) return 'it belongs to another user';
  if ((stats.mode & 0o022) !== 0) return 'others can write it';
  return stats.size > largest ? `it is larger than ${largest} bytes` : undefined;
}

async function replace(directory: string, file: string, text: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const draft = `${file}.new`;
  {
    await using handle = await open(draft, draftFlags, 0o600);
    await handle.writeFile(text);
    await handle.sync();
  }
  await rename(draft, file);
  await using home = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  await home.sync();
}
