import { readdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { describeError, formatInstant } from '../../kernel/index.ts';
import { printable } from '../output.ts';

/** Milliseconds that nothing more must change for: an editor writes a file in several steps. */
const quiet = 100;
/** Milliseconds between two looks, for what no event tells of: a network's file system, a link's target. */
const look = 2000;

/**
 * Runs at once, and again whenever something changes of what the last run has read; until the process is ended.
 * @param run gives the paths of files and directories that it has read
 */
export async function watchFiles(run: () => Promise<readonly string[]>): Promise<never> {
  const { DirectoryWatchers } = await import('../../app/policy-world.ts');
  let wake = () => {};
  const watchers = new DirectoryWatchers(() => wake());
  let paths: readonly string[] = [];
  for (;;) {
    const before = { paths: paths.join('\n'), seen: fingerprint(paths) };
    let seen: string | undefined;
    try {
      paths = await run();
      // What was written while it ran counts as not yet seen.
      seen = before.paths === paths.join('\n') ? before.seen : fingerprint(paths);
    } catch (error) {
      process.stderr.write(`citadel: ${printable(describeError(error))}\n`);
    }
    watchers.set(directoriesOf(paths));
    process.stdout.write(`Waiting for changes, since ${formatInstant(new Date())}.\n`);
    // What failed is tried again at the next look, though nothing has changed.
    do await changeOrLook((waiting) => (wake = waiting));
    while (fingerprint(paths) === seen);
  }
}

/** @param wakeBy takes what ends the wait before its time */
function changeOrLook(wakeBy: (wake: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, look);
    wakeBy(() => {
      clearTimeout(timer);
      setTimeout(resolve, quiet);
    });
  });
}

function directoriesOf(paths: readonly string[]): readonly string[] {
  return [
    ...new Set(paths.flatMap((path) => (isDirectory(path) ? [path, ...below(path)] : [dirname(path)]))),
  ];
}

function below(directory: string): readonly string[] {
  return entriesOf(directory).flatMap(({ path, isDirectory: deeper }) =>
    deeper ? [path, ...below(path)] : [],
  );
}

/** What changes with any file: its size, when it was written, and which file it is. */
function fingerprint(paths: readonly string[]): string {
  return paths
    .flatMap((path) => (isDirectory(path) ? filesBelow(path) : [path]))
    .map((path) => {
      const stats = statSync(path, { throwIfNoEntry: false, bigint: true });
      return `${path} ${stats?.ino} ${stats?.size} ${stats?.mtimeNs}`;
    })
    .join('\n');
}

function filesBelow(directory: string): readonly string[] {
  return entriesOf(directory).flatMap(({ path, isDirectory: deeper }) =>
    deeper ? filesBelow(path) : [path],
  );
}

function entriesOf(directory: string): readonly { readonly path: string; readonly isDirectory: boolean }[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter(({ name }) => !name.startsWith('.'))
      .map((entry) => ({ path: `${directory}/${entry.name}`, isDirectory: entry.isDirectory() }));
  } catch {
    // It has gone meanwhile, which the fingerprint shows.
    return [];
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
