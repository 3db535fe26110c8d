import type Database from 'better-sqlite3';
import { CitadelError, isCitadelError } from '../../../kernel/index.ts';
import { storeError } from './errors.ts';

/** 4 MiB at SQLite's page size; between two of these, calls are served. */
const pagesAtOnce = 1024;

/** Copies the store page by page. What is written meanwhile is in the copy, too: both are of this one connection. */
export class Copier {
  readonly #database: Database.Database;
  #closed = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(database: Database.Database) {
    this.#database = database;
  }

  async copyTo(file: string): Promise<void> {
    this.#requireOpen();
    const copying = this.#database.backup(file, {
      progress: () => {
        this.#requireOpen();
        return pagesAtOnce;
      },
    });
    this.#running = Promise.allSettled([this.#running, copying]);
    try {
      await copying;
    } catch (error) {
      throw isCitadelError(error) ? error : storeError(error);
    }
  }

  /** Gives up the copies that are being made. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  #requireOpen(): void {
    if (this.#closed) throw new CitadelError('Unavailable', 'the store is closed');
  }
}
