import type { Dirent } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { CitadelError, describeError } from '../../kernel/index.ts';

/** Some thousands of objects in one file are still read; what is larger is something else. */
const largestFile = 16 * 1024 * 1024;
const mostFiles = 10_000;
const deepest = 8;
const readable = /\.(?:ya?ml|json)$/;

export interface RegistryFile {
  /** Relative to the directory, with forward slashes. */
  readonly name: string;
  readonly text: string | undefined;
  /** Why there is no text. */
  readonly problem: string | undefined;
}

/**
 * All files of the directory and those below, sorted by name. Names that begin with a dot are left out: a mounted
 * ConfigMap's real files lie there, behind the links that count.
 * @throws the file system's error when the directory itself cannot be read
 */
export async function readRegistryFiles(directory: string): Promise<{
  readonly files: readonly RegistryFile[];
  /** The directory itself and those below: what must be watched. */
  readonly directories: readonly string[];
}> {
  const directories: string[] = [];
  const names = (await list(directory, 0, directories)).toSorted();
  if (names.length > mostFiles) {
    throw new CitadelError('ResourceExhausted', `the registry has more than ${mostFiles} files`);
  }
  const files = await Promise.all(
    names.map(async (file): Promise<RegistryFile> => {
      const name = relative(directory, file).split(sep).join('/');
      try {
        return { name, text: await readText(file), problem: undefined };
      } catch (error) {
        return { name, text: undefined, problem: describeError(error) };
      }
    }),
  );
  return { files, directories };
}

async function list(directory: string, depth: number, directories: string[]): Promise<string[]> {
  directories.push(directory);
  const entries: Dirent[] = await readdir(directory, { withFileTypes: true });
  const visible = entries.filter(({ name }) => !name.startsWith('.'));
  const found = await Promise.all(
    visible.map(async (entry) => {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) return depth < deepest ? list(path, depth + 1, directories) : [];
      return readable.test(entry.name) ? [path] : [];
    }),
  );
  return found.flat();
}

async function readText(file: string): Promise<string> {
  await using handle = await open(file, 'r');
  const { size } = await handle.stat();
  if (size > largestFile) throw new Error(`is larger than ${largestFile} bytes`);
  const bytes = await handle.readFile();
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Error('is not UTF-8 text');
  }
}
