import { createRateLimiter, rememberedPeers } from '../listen/index.ts';

/**
 * Milliseconds of work that count as much as one call. By it and the limit of calls all strangers together have some fifth
 * of the time that the process has, as that limit is by default.
 */
const millisecondsPerCall = 2;
/** All together get as much as so many addresses. */
const peersTogether = 2;
/** The key of all together; no address looks like it. */
const everybody = '*';

export interface Strangers {
  /** Whether a caller that has proven nothing may ask now. */
  admit(peer: string): boolean;
  /** What it cost to answer. */
  worked(peer: string, milliseconds: number): void;
}

/**
 * Bounds what those can ask for who may be anybody, by their address and all together: the same process issues
 * certificates. An API server applies many policies at once, so a burst is let through.
 */
export function createStrangers(callsPerSecond: number, now: () => number): Strangers {
  const limiter = (perSecond: number, keys: number) =>
    createRateLimiter({ perSecond, burst: Math.max(1, perSecond) * 4, keys });
  const each = limiter(callsPerSecond, rememberedPeers);
  const all = limiter(callsPerSecond * peersTogether, 1);
  return {
    // In this order: who is turned away for himself takes nothing from the others.
    admit: (peer) => each.take(peer, now()) && all.take(everybody, now()),
    worked(peer, milliseconds) {
      const cost = milliseconds / millisecondsPerCall;
      each.charge(peer, now(), cost);
      all.charge(everybody, now(), cost);
    },
  };
}
