import type { Clock } from '../../../src/kernel/index.ts';

interface Sleeper {
  readonly wake: () => void;
}

/** Steps of time; who sleeps wakes at the end of the step in which his time is over. */
const step = 1000;

/** A clock that stands still until it is told to go on: what is begun at a moment is done at that moment. */
export class SimulatedClock implements Clock {
  #now: number;
  readonly #sleepers = new Map<number, Set<Sleeper>>();

  constructor(start: Date) {
    this.#now = Math.ceil(start.getTime() / step) * step;
  }

  now(): Date {
    return new Date(this.#now);
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    const at = Math.max(this.#now + step, Math.ceil((this.#now + milliseconds) / step) * step);
    const due = this.#sleepers.get(at) ?? new Set();
    this.#sleepers.set(at, due);
    return new Promise((resolve, reject) => {
      const sleeper = { wake: resolve };
      due.add(sleeper);
      signal?.addEventListener(
        'abort',
        () => {
          due.delete(sleeper);
          reject(new Error('woken'));
        },
        { once: true },
      );
    });
  }

  /** @param settled waits until what the woken have begun is done */
  async goOn(milliseconds: number, settled: () => Promise<void>): Promise<void> {
    const end = this.#now + milliseconds;
    while (this.#now < end) {
      this.#now += step;
      const due = this.#sleepers.get(this.#now);
      this.#sleepers.delete(this.#now);
      for (const { wake } of due ?? []) wake();
      await settled();
    }
  }
}
