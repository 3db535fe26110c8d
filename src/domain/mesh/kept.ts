import { type Clock, describeError, isCitadelError, type Log } from '../../kernel/index.ts';
import type { Archive, Archived } from '../ports/index.ts';

export interface KeptContentOptions {
  readonly archive: Archive;
  /** Of the content in the archive. */
  readonly id: string;
  /** Milliseconds that changes are gathered for. */
  readonly pause: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** At a close it is written anew only to say that it was current for longer than this; milliseconds. */
const worthSaying = 60_000;
/** Milliseconds before what could not be written is tried again. */
const pauseAfterFailure = 30_000;

/** Keeps what one source said last, so that a restart forgets no last good form, and can begin while it is away. */
export class KeptContent {
  readonly #options: KeptContentOptions;
  readonly #closing = new AbortController();
  /** Why what was kept could not be taken. */
  #damaged: string | undefined;
  /** Why nothing can be written. */
  #failed: string | undefined;
  /** What is to be written next. */
  #next: (() => Archived) | undefined;
  #writing: Promise<void> | undefined;
  #keptAt: Date | undefined;

  constructor(options: KeptContentOptions) {
    this.#options = options;
  }

  /** Why the last restart forgot something, or the next one would; undefined where nothing does. */
  get problem(): string | undefined {
    const { id } = this.#options;
    if (this.#failed !== undefined) return `${id} is not kept over a restart: ${this.#failed}`;
    return this.#damaged === undefined ? undefined : `what was kept of ${id} is left alone: ${this.#damaged}`;
  }

  /**
   * What was kept, when, by `read`.
   * @param read throws where the content is none that it knows
   * @returns undefined where there is nothing, or nothing that can be believed, which is told
   */
  async restore<T>(
    read: (content: unknown) => T,
  ): Promise<{ readonly value: T; readonly at: Date } | undefined> {
    const { archive, id, log } = this.#options;
    try {
      const kept = await archive.load(id);
      if (kept === undefined) return undefined;
      const value = read(kept.content);
      this.#keptAt = kept.at;
      return { value, at: kept.at };
    } catch (error) {
      this.#damaged = describeError(error);
      log.warn('what was kept of a source over the restart cannot be believed, and is left alone', {
        kept: id,
        reason: this.#damaged,
        details: isCitadelError(error) ? error.details : undefined,
      });
      return undefined;
    }
  }

  /** Writes what `make` gives, soon; changes that follow each other are written once. */
  keep(make: () => Archived): void {
    this.#next = make;
    if (this.#closing.signal.aborted) return;
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Writes what is still to be written, and that `latest` was current until now. */
  async close(latest?: Archived): Promise<void> {
    this.#closing.abort();
    await this.#writing;
    const since = (this.#keptAt ?? latest?.at)?.getTime() ?? 0;
    if (latest && latest.at.getTime() - since > worthSaying) this.#next ??= () => latest;
    await this.#writeNext();
  }

  async #write(): Promise<void> {
    const { clock, pause } = this.#options;
    while (this.#next && !this.#closing.signal.aborted) {
      const failed = this.#failed !== undefined;
      await clock.sleep(failed ? pauseAfterFailure : pause, this.#closing.signal).catch(() => undefined);
      await this.#writeNext();
    }
  }

  async #writeNext(): Promise<void> {
    const { archive, id, log } = this.#options;
    const make = this.#next;
    this.#next = undefined;
    if (!make) return;
    try {
      const archived = make();
      await archive.save(id, archived);
      this.#keptAt = archived.at;
      this.#damaged = undefined;
      this.#failed = undefined;
    } catch (error) {
      const reason = describeError(error);
      if (this.#failed !== reason)
        log.warn('what a source says cannot be kept; a restart would forget its last good forms', {
          kept: id,
          reason,
          details: isCitadelError(error) ? error.details : undefined,
        });
      this.#failed = reason;
      this.#next ??= make;
    }
  }
}
