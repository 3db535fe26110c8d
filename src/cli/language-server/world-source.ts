import type { PolicyWorld } from '../../domain/policy/index.ts';
import { describeError } from '../../kernel/index.ts';

export interface WorldListener {
  readonly changed: () => void;
  /** Something that the author should know, once: why what is there is not known, or that it is again. */
  readonly told: (message: string) => void;
}

/** Where a language server has from who is there: the last one that could be had. */
export interface WorldSource {
  current(): PolicyWorld | undefined;
  start(listener: WorldListener): void;
  /** Looks again, now or as soon as the look that is under way has ended. */
  refresh(): void;
}

/** Milliseconds between two looks at what is somewhere else. */
const interval = 60_000;

/** @param load undefined: nothing is known of any world */
export function worldSource(load: (() => Promise<PolicyWorld>) | undefined): WorldSource {
  let world: PolicyWorld | undefined;
  let isLooking = false;
  let isAsked = false;
  let failure: string | undefined;
  let listener: WorldListener | undefined;
  const look = async (from: () => Promise<PolicyWorld>) => {
    try {
      world = await from();
      if (failure !== undefined) listener?.told('what is there is known again');
      failure = undefined;
      listener?.changed();
    } catch (error) {
      const reason = describeError(error);
      const stale = world === undefined ? '' : '; the last that was known is taken';
      if (reason !== failure) listener?.told(`what is there is not known${stale}: ${reason}`);
      failure = reason;
    }
  };
  const refresh = async () => {
    if (load === undefined) return;
    isAsked = true;
    if (isLooking) return;
    isLooking = true;
    while (isAsked) {
      isAsked = false;
      await look(load);
    }
    isLooking = false;
  };
  return {
    current: () => world,
    start(given) {
      listener = given;
      void refresh();
      // The editor's end of the pipe keeps the process, not this.
      if (load !== undefined) setInterval(() => void refresh(), interval).unref();
    },
    refresh: () => void refresh(),
  };
}
