import type { Clock } from './clock.ts';

export interface Repetition {
  /** Ends it: a wait is cut short, and the work done a last time; what has begun is done to its end. */
  stop(): Promise<void>;
}

/**
 * Does something again and again, each time that long after the last has ended.
 * @param milliseconds before each time, the first too
 * @param work must not throw
 */
export function repeatedly(clock: Clock, milliseconds: number, work: () => Promise<void>): Repetition {
  const stopping = new AbortController();
  const run = async () => {
    while (!stopping.signal.aborted) {
      await clock.sleep(milliseconds, stopping.signal).catch(() => undefined);
      await work();
    }
  };
  const running = run();
  return {
    stop: () => {
      stopping.abort();
      return running;
    },
  };
}
