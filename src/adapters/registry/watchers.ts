import { type FSWatcher, watch } from 'node:fs';

/**
 * Watches directories, each by itself: a directory's own events tell of every file that is written, renamed into it or
 * deleted, which a watch of the files (and Node's recursive one) loses at a rename.
 */
export class DirectoryWatchers {
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /**
   * Watches exactly these from now on. What cannot be watched is left to whoever looks from time to time.
   * @returns whether one is new: what changed before it was watched was told by nobody
   */
  set(directories: readonly string[]): boolean {
    for (const [directory, watcher] of this.#watchers) {
      if (directories.includes(directory)) continue;
      watcher.close();
      this.#watchers.delete(directory);
    }
    const added = directories.filter((directory) => !this.#watchers.has(directory));
    for (const directory of added) this.#add(directory);
    return added.length > 0;
  }

  close(): void {
    this.set([]);
  }

  #add(directory: string): void {
    try {
      const watcher = watch(directory, { persistent: false }, () => this.#changed());
      watcher.on('error', () => {
        watcher.close();
        this.#watchers.delete(directory);
        this.#changed();
      });
      this.#watchers.set(directory, watcher);
    } catch {
      // Gone already, or too many watches: the next look finds out.
    }
  }
}
