import { CitadelError } from '../../kernel/index.ts';
import { createRateLimiter, rememberedPeers } from '../listen/index.ts';

/** Milliseconds of work that one operator gets of each second: the same process issues certificates. */
const perSecond = 250;
/** That may be used at once, as by opening a large mesh. */
const burst = 5_000;

/** Bounds the time that each owner's questions take, whatever they are. */
export class Share {
  readonly #limiter = createRateLimiter({ perSecond, burst, keys: rememberedPeers });
  readonly #now: () => number;

  /** @param now milliseconds of a clock that never goes back */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** @throws CitadelError ResourceExhausted where the owner has had his share */
  async run<T>(owner: string, work: () => Promise<T> | T): Promise<T> {
    const started = this.#now();
    if (!this.#limiter.take(owner, started))
      throw new CitadelError(
        'ResourceExhausted',
        'your questions take much time here; try again in a moment',
      );
    try {
      return await work();
    } finally {
      const ended = this.#now();
      this.#limiter.charge(owner, ended, ended - started);
    }
  }
}
