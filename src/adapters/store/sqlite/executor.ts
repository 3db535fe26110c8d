import type Database from 'better-sqlite3';
import { CitadelError, type Log } from '../../../kernel/index.ts';
import { isFatal, storeError } from './errors.ts';

interface Write {
  readonly run: () => void;
  readonly resolve: () => void;
  readonly reject: (error: CitadelError) => void;
}

type Failures = ReadonlyMap<Write, unknown>;

const noFailures: Failures = new Map();
/** One transaction blocks the event loop for as long as it runs: about 20 ms for this many. */
const largestGroup = 1024;
/** Some seconds of writing; whoever comes later is told so instead of being queued without end. */
const longestQueue = 65_536;
const slowCommitMilliseconds = 1000;

/**
 * Runs all statements: a read at once, a write in a group. The writes of one turn of the event loop are gathered into
 * one transaction, so that they share one fsync; each promise settles when that transaction is committed or has failed.
 */
export class Executor {
  readonly #log: Log;
  readonly #onQueue: (length: number) => void;
  readonly #together: (group: readonly Write[]) => Failures;
  readonly #apart: (group: readonly Write[]) => Failures;
  #queue: Write[] = [];
  #scheduled = false;
  #closed = false;

  /** @param onQueue told how many writes wait, whenever that changes */
  constructor(database: Database.Database, log: Log, onQueue: (length: number) => void) {
    this.#log = log;
    this.#onQueue = onQueue;
    const together = database.transaction((group: readonly Write[]) => {
      for (const write of group) write.run();
      return noFailures;
    });
    // Within a transaction, better-sqlite3 makes a transaction a savepoint.
    const one = database.transaction((write: Write) => write.run());
    const apart = database.transaction((group: readonly Write[]) => {
      const failures = new Map<Write, unknown>();
      for (const write of group) {
        try {
          one(write);
        } catch (error) {
          if (isFatal(error) || !database.inTransaction) throw error;
          failures.set(write, error);
        }
      }
      return failures;
    });
    this.#together = (group) => together.immediate(group);
    this.#apart = (group) => apart.immediate(group);
  }

  /** A promise, as the ports say, although SQLite answers at once. Sees what has been committed. */
  async read<T>(run: () => T): Promise<T> {
    if (this.#closed) throw closed();
    try {
      return run();
    } catch (error) {
      throw storeError(error);
    }
  }

  /**
   * @param run executes its statements at once; it may run twice, the first time rolled back
   * @returns what `run` returned, once that is durable
   */
  write<T>(run: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#closed) {
        reject(closed());
      } else if (this.#queue.length >= longestQueue) {
        reject(new CitadelError('Unavailable', 'the store is behind with its writes: try again later'));
      } else {
        let succeed = () => {};
        this.#queue.push({
          run: () => {
            const value = run();
            succeed = () => resolve(value);
          },
          resolve: () => succeed(),
          reject,
        });
        this.#onQueue(this.#queue.length);
        this.#schedule();
      }
    });
  }

  /** Commits what is queued; from now on everything is refused. */
  close(): void {
    this.#closed = true;
    while (this.#queue.length > 0) this.#flush();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
      if (this.#queue.length > 0) this.#schedule();
    });
  }

  #flush(): void {
    const group = this.#queue.splice(0, largestGroup);
    if (group.length === 0) return;
    this.#onQueue(this.#queue.length);
    const started = performance.now();
    try {
      const failures = this.#commit(group);
      for (const write of group) {
        if (failures.has(write)) write.reject(storeError(failures.get(write)));
        else write.resolve();
      }
    } catch (error) {
      const reason = storeError(error);
      this.#log.error('the store failed to commit', { writes: group.length, code: reason.code, error });
      for (const write of group) write.reject(reason);
    }
    const milliseconds = Math.round(performance.now() - started);
    if (milliseconds > slowCommitMilliseconds)
      this.#log.warn('the store commits slowly', { writes: group.length, milliseconds });
  }

  /** All together without savepoints, which is fast; only when one throws, again with a savepoint for each. */
  #commit(group: readonly Write[]): Failures {
    try {
      return this.#together(group);
    } catch (error) {
      if (isFatal(error)) throw error;
      return this.#apart(group);
    }
  }
}

function closed(): CitadelError {
  return new CitadelError('Unavailable', 'the store is closed');
}
