import { constants, type Dirent } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { CitadelError, compareText, describeError, systemErrorCode } from '../../kernel/index.ts';

/** Some thousands of objects in one file are still read; what is larger is something else. */
const largestFile = 16 * 1024 * 1024;
const largestRegistry = 256 * 1024 * 1024;
const mostFiles = 10_000;
const deepest = 8;
const readable = /\.(?:ya?ml|json)$/;
/** Files open at once: a process has only so many. */
const atOnce = 16;

export interface RegistryFile {
  /** Relative to the directory, with forward slashes. */
  readonly name: string;
  readonly text: string | undefined;
  /** Why there is no text. */
  readonly problem: string | undefined;
}

export interface RegistryReading {
  readonly files: readonly RegistryFile[];
  /** The directory itself and those below: what must be watched. */
  readonly directories: readonly string[];
  /** Directories below whose files are not known, each with a slash at its end: nobody can say that they are gone. */
  readonly closed: readonly { readonly name: string; readonly problem: string }[];
}

/**
 * All files of the directory and those below, sorted by name. Names that begin with a dot are left out: a mounted
 * ConfigMap's real files lie there, behind the links that count.
 * @throws the file system's error when the directory itself cannot be read
 */
export async function readRegistryFiles(directory: string): Promise<RegistryReading> {
  const nameOf = (path: string) => relative(directory, path).split(sep).join('/');
  const directories: string[] = [];
  const closed: { name: string; problem: string }[] = [];
  const entries: Entry[] = [];

  async function list(at: string, depth: number): Promise<void> {
    let found: Dirent[];
    try {
      found = await readdir(at, { withFileTypes: true });
    } catch (error) {
      if (depth === 0) throw error;
      // One that has gone since its name was read has no files.
      if (systemErrorCode(error) !== 'ENOENT')
        closed.push({ name: `${nameOf(at)}/`, problem: describeError(error) });
      return;
    }
    directories.push(at);
    for (const entry of found) {
      if (entry.name.startsWith('.')) continue;
      const path = join(at, entry.name);
      if (!entry.isDirectory()) {
        if (readable.test(entry.name))
          entries.push({ path, name: nameOf(path), isLink: entry.isSymbolicLink() });
      } else if (depth < deepest) await list(path, depth + 1);
      else closed.push({ name: `${nameOf(path)}/`, problem: `lies deeper than ${deepest} directories` });
    }
    if (entries.length > mostFiles)
      throw new CitadelError('ResourceExhausted', `the registry has more than ${mostFiles} files`);
  }

  await list(directory, 0);
  const files: RegistryFile[] = [];
  let length = 0;
  const sorted = entries.toSorted((a, b) => compareText(a.name, b.name));
  for (let start = 0; start < sorted.length; start += atOnce) {
    const some = await Promise.all(sorted.slice(start, start + atOnce).map(readFile));
    files.push(...some.filter((file) => file !== undefined));
    length += some.reduce((sum, file) => sum + (file?.text?.length ?? 0), 0);
    if (length > largestRegistry)
      throw new CitadelError(
        'ResourceExhausted',
        `the registry is larger than ${largestRegistry} characters`,
      );
  }
  return { files, directories, closed };
}

interface Entry {
  readonly path: string;
  readonly name: string;
  readonly isLink: boolean;
}

/** @returns undefined for one that has gone since its name was read; a link that leads nowhere has not */
async function readFile({ path, name, isLink }: Entry): Promise<RegistryFile | undefined> {
  try {
    return { name, text: await readText(path), problem: undefined };
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' && !isLink) return undefined;
    return { name, text: undefined, problem: describeError(error) };
  }
}

async function readText(path: string): Promise<string> {
  // Without O_NONBLOCK the opening of a pipe waits for who writes to it.
  await using handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const stats = await handle.stat();
  if (!stats.isFile()) throw new Error('is no regular file');
  if (stats.size > largestFile) throw new Error(`is larger than ${largestFile} bytes`);
  // What is written to it meanwhile is another look's: nobody can make this one endless.
  const bytes = Buffer.alloc(stats.size);
  let length = 0;
  while (length < bytes.length) {
    const { bytesRead } = await handle.read(bytes, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length));
  } catch {
    throw new Error('is not UTF-8 text');
  }
}
