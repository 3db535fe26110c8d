import type { Clock } from '../../kernel/index.ts';

/** A look may take one part of this many of the time. */
const share = 20;
const longestPause = 10_000;

/**
 * Spaces looks that read every valid certificate by what they cost: a small fleet is looked at whenever somebody asks, a
 * large one so seldom that the store keeps its time for issuing.
 */
export interface Pace {
  /** Does the work, or nothing while the pause after the last one lasts. */
  look(work: () => Promise<void>): Promise<void>;
}

export function createPace(clock: Pick<Clock, 'now'>): Pace {
  let notBefore = 0;
  return {
    async look(work) {
      const begun = clock.now().getTime();
      // A clock that was put back must not put looks off for as long.
      if (begun < notBefore && notBefore - begun <= longestPause) return;
      try {
        await work();
      } finally {
        const ended = clock.now().getTime();
        notBefore = ended + Math.min(longestPause, Math.max(0, ended - begun) * share);
      }
    },
  };
}
