import type { ShadowTally, ShadowWatch } from '../shadow/index.ts';

/** What is kept of the candidate that is tried. */
export interface ShadowSeen {
  /** Who has counted, the longest ago first. */
  readonly watches: readonly ShadowWatch[];
  /** One of each workload. */
  readonly tallies: readonly ShadowTally[];
}

/** What servers have counted of the candidate that is tried. It goes with the candidate. */
export interface ShadowStore {
  /**
   * Adds what one server has counted since it last did, and says until when it has; all or nothing. It does nothing where
   * another candidate is tried by now, or none. `addTally` and `addWatch` of domain/shadow say how, and what the limits are.
   */
  add(candidate: string, watch: ShadowWatch, tallies: readonly ShadowTally[]): Promise<void>;
  /** Nothing, where nothing was added or this candidate is not tried. */
  seen(candidate: string): Promise<ShadowSeen>;
}
