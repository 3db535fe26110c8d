import {
  backoffDelay,
  type Clock,
  describeError,
  type Entropy,
  isCitadelError,
  type Log,
} from '../../kernel/index.ts';

export interface WorkQueueOptions {
  /** What the work is, for the log: `publishing the trust bundle`. */
  readonly what: string;
  readonly work: (key: string) => Promise<void>;
  readonly concurrency: number;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly signal: AbortSignal;
}

const backoff = { baseMilliseconds: 500, maximumMilliseconds: 60_000 };

/**
 * Works on keys: one that is added several times before its turn is worked on once, one that is added during its turn
 * again afterwards, one that fails after a back-off of its own. Never two turns of one key at once.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #pending = new Set<string>();
  readonly #active = new Set<string>();
  readonly #failures = new Map<string, number>();

  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  add(key: string): void {
    this.#pending.add(key);
    this.#next();
  }

  #next(): void {
    const { concurrency, signal } = this.#options;
    for (const key of this.#pending) {
      if (signal.aborted || this.#active.size >= concurrency) return;
      if (this.#active.has(key)) continue;
      this.#pending.delete(key);
      this.#active.add(key);
      void this.#turn(key);
    }
  }

  async #turn(key: string): Promise<void> {
    const { what, work, log, signal } = this.#options;
    try {
      await work(key);
      this.#failures.delete(key);
    } catch (error) {
      if (!signal.aborted) {
        log.warn(`${what} failed; trying again`, {
          place: key,
          error: describeError(error),
          details: isCitadelError(error) ? error.details : undefined,
        });
        void this.#later(key);
      }
    } finally {
      this.#active.delete(key);
      this.#next();
    }
  }

  async #later(key: string): Promise<void> {
    const { clock, entropy, signal } = this.#options;
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const slept = await clock.sleep(backoffDelay(failures, backoff, entropy), signal).then(
      () => true,
      () => false,
    );
    if (slept) this.add(key);
  }

  /** Forgets a key that is gone for good. */
  forget(key: string): void {
    this.#pending.delete(key);
    this.#failures.delete(key);
  }
}
