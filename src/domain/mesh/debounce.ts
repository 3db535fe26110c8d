import type { Clock } from '../../kernel/index.ts';

export interface DebounceOptions {
  /** Milliseconds without another call, after which the work is done. */
  readonly quiet: number;
  /** Milliseconds after the first call, after which it is done in any case. */
  readonly atMost: number;
  readonly clock: Clock;
}

export interface Debounced {
  /** Asks for the work to be done soon. */
  call(): void;
  /** After it nothing is done any more, whoever asks. */
  close(): void;
}

/** Many calls in a row, one piece of work. */
export function debounce(work: () => void, { quiet, atMost, clock }: DebounceOptions): Debounced {
  let first: number | undefined;
  let waiting: AbortController | undefined;
  let closed = false;
  const run = () => {
    first = undefined;
    waiting = undefined;
    work();
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
    close() {
      closed = true;
      waiting?.abort();
      waiting = undefined;
    },
  };
}
