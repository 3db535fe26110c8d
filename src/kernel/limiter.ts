import { CitadelError } from './errors.ts';

/** Lets a bounded number of tasks run at once and a bounded number wait, first come first served. */
export class Limiter {
  readonly #running: number;
  readonly #waiting: number;
  #active = 0;
  readonly #queue = new Set<() => void>();
  readonly #busy: string;

  /** @param busy said to whom no place is given */
  constructor(running: number, waiting: number, busy: string) {
    this.#running = running;
    this.#waiting = waiting;
    this.#busy = busy;
  }

  /** @throws CitadelError Unavailable when too many wait already, or the signal is aborted while waiting */
  async run<T>(signal: AbortSignal, task: () => Promise<T>): Promise<T> {
    await this.#enter(signal);
    try {
      return await task();
    } finally {
      const [next] = this.#queue;
      if (next === undefined) this.#active -= 1;
      else {
        // The place is handed over, so that nobody slips in between.
        this.#queue.delete(next);
        next();
      }
    }
  }

  async #enter(signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw this.#refusal();
    if (this.#active < this.#running) {
      this.#active += 1;
      return;
    }
    if (this.#queue.size >= this.#waiting) throw this.#refusal();
    await new Promise<void>((resolve, reject) => {
      const enter = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        this.#queue.delete(enter);
        reject(this.#refusal());
      };
      this.#queue.add(enter);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  #refusal(): CitadelError {
    return new CitadelError('Unavailable', this.#busy);
  }
}
