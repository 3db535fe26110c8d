import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CitadelError, standardInput } from '../kernel/index.ts';
import { readText } from './connection.ts';

export interface PolicyFile {
  readonly source: string;
  /** Undefined for standard input. */
  readonly file: string | undefined;
  readonly text: string;
}

export interface PolicyFiles {
  readonly files: readonly PolicyFile[];
  /** One line for each that could not be read; the others are there all the same. */
  readonly unreadable: readonly string[];
}

/** As the registry in files reads a directory. */
const named = /^(?!\.).*\.(?:ya?ml|json)$/;

/** By its name alone, or by its path. */
export function isPolicyFile(path: string): boolean {
  return named.test(path.slice(path.lastIndexOf('/') + 1));
}

/** What a command was given: files, directories with all below them, and `-` for standard input. */
export function readPolicyFiles(given: readonly string[]): PolicyFiles {
  const files: PolicyFile[] = [];
  const unreadable: string[] = [];
  const attempt = (act: () => void) => {
    try {
      act();
    } catch (error) {
      if (!(error instanceof CitadelError)) throw error;
      unreadable.push(error.message);
    }
  };
  for (const argument of given)
    attempt(() => {
      if (argument === '-') {
        files.push({
          source: 'standard input',
          file: undefined,
          text: readText(standardInput, 'text'),
        });
        return;
      }
      for (const file of filesOf(argument))
        attempt(() => files.push({ source: file, file, text: readText(file, 'file') }));
    });
  return { files, unreadable };
}

/** Whether nothing is there, or a directory without such files. */
export function holdsNoFile(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined || (stats.isDirectory() && below(path).length === 0);
}

/** @throws CitadelError FailedPrecondition for a directory without any */
function filesOf(path: string): readonly string[] {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return [path];
  const found = below(path).toSorted();
  if (found.length > 0) return found;
  throw new CitadelError(
    'FailedPrecondition',
    `no file below ${path} ends in .yaml, .yml or .json; name the files`,
  );
}

function below(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return entry.name.startsWith('.') ? [] : below(path);
    return isPolicyFile(entry.name) ? [path] : [];
  });
}
