import type { Clock } from '../../kernel/index.ts';

export interface DebounceOptions {
  /** Milliseconds without another call, after which the work is done. */
  readonly quiet: number;
  /** Milliseconds after the first call, after which it is done in any case. */
  readonly atMost: number;
  readonly clock: Clock;
  /** Told what the work threw. What is asked for next is done all the same. */
  readonly failed: (error: unknown) => void;
}

export interface Debounced {
  /** Asks for the work to be done soon. */
  call(): void;
  /** Does the work now, and with it what was asked for. */
  now(): void;
  /** After it nothing is done any more, whoever asks. */
  close(): void;
}

/** Many calls in a row, one piece of work. */
export function debounce(work: () => void, { quiet, atMost, clock, failed }: DebounceOptions): Debounced {
  let first: number | undefined;
  let waiting: AbortController | undefined;
  let closed = false;
  const run = () => {
    first = undefined;
    waiting = undefined;
    try {
      work();
    } catch (error) {
      failed(error);
    }
  };
  return {
    call() {
      if (closed) return;
      const now = clock.now().getTime();
      first ??= now;
      waiting?.abort();
      const own = new AbortController();
      waiting = own;
      const delay = Math.max(0, Math.min(quiet, first + atMost - now));
      clock.sleep(delay, own.signal).then(run, () => undefined);
    },
    now() {
      waiting?.abort();
      if (!closed) run();
    },
    close() {
      closed = true;
      waiting?.abort();
      waiting = undefined;
    },
  };
}
