import type { Random } from '../../../test/oracle/generate/random.ts';
import { type KillPoint, killPoints } from '../root-rotation/kills.ts';

/** What happens besides, in one rotation. */
export interface Faults {
  /** Where the server is killed. */
  readonly kill: KillPoint;
  /** Which of the ways to the server is cut, in which phase, and for how long in milliseconds. */
  readonly cut: {
    readonly way: number;
    readonly phase: 'distribute' | 'drain';
    readonly milliseconds: number;
  };
  /** Agents, by their index, that are stopped and started again, and in which phase. */
  readonly restarts: { readonly agents: readonly number[]; readonly phase: 'distribute' | 'drain' };
}

const phases = ['distribute', 'drain'] as const;
/** Of the agents, in each rotation. */
const restarted = 0.02;

/** Of a certificate's life: whoever is cut off for so long still has time to renew. */
const [shortestCut, longestCut] = [0.05, 0.13];

/** Draws them; the same for the same state of `random`. Pure. @param life of certificates, milliseconds */
export function drawFaults(random: Random, ways: number, agents: number, life: number): Faults {
  return {
    kill: random.pick(killPoints),
    cut: {
      way: random.int(ways),
      phase: random.pick(phases),
      milliseconds: Math.floor(life * shortestCut) + random.int(life * (longestCut - shortestCut)),
    },
    restarts: {
      agents: [
        ...new Set(random.list(1, Math.max(1, Math.floor(agents * restarted)), () => random.int(agents))),
      ],
      phase: random.pick(phases),
    },
  };
}
