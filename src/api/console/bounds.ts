import { Latest } from './latest.ts';
import type { Closed } from './route.ts';
import { Share } from './share.ts';

/** What keeps one operator's questions from taking the time of all else; of each console, one. */
export interface Bounds {
  /** What may take long, in a thread of its own: one of each operator at a time, and the last one counts. */
  readonly alone: (work: (body: unknown, signal: AbortSignal) => Promise<object>) => Closed['answer'];
  /** What is short and asked often: a share of the time for each operator. */
  readonly shared: (work: (body: unknown) => Promise<object> | object) => Closed['answer'];
}

export function createBounds(): Bounds {
  const latest = new Latest();
  const share = new Share(() => performance.now());
  return {
    alone:
      (work) =>
      async ({ body, signal }, { caller }) => ({
        body: await latest.run(caller.subject, signal, (own) => work(body, own)),
      }),
    shared:
      (work) =>
      async ({ body }, { caller }) => ({ body: await share.run(caller.subject, () => work(body)) }),
  };
}
