import { setTimeout as delay } from 'node:timers/promises';

/** Time as a port: decisions get `now()` as a value, loops sleep on it. */
export interface Clock {
  now(): Date;
  /** Resolves after `milliseconds`; rejects with the signal's reason when it is aborted first. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** setTimeout's own limit is 2^31-1 ms (24.8 days); a longer wait is made of several. */
const longestTimer = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => new Date(),
  async sleep(milliseconds, signal) {
    let left = Math.max(0, milliseconds);
    do {
      const part = Math.min(left, longestTimer);
      await delay(part, undefined, signal ? { signal } : {});
      left -= part;
    } while (left > 0);
  },
};
