/** How many orders for a new key may be out and not yet followed. */
export interface Pace {
  readonly limit: number;
}

export interface PaceSeen {
  /** Orders that are out and not yet followed. */
  readonly out: number;
  /** Orders that were followed since the last look. */
  readonly followed: number;
  /** Whether more agents wait to be told. */
  readonly waiting: boolean;
  readonly busy: boolean;
}

/** So few cannot overload a server, and one dead agent among them does not hold up the rest. */
export const leastOut = 4;
/** A server that signs 2,500 a second has these followed in a tenth of a second: more would only wait within it. */
export const mostOut = 256;
export const firstPace: Pace = { limit: 16 };

/**
 * As many orders are out as the server keeps up with: half as many again at each look while it is at ease and the limit is
 * what holds it back; what it followed of late, and no more, once it is busy. Who comes for another reason finds it answering.
 */
export function nextPace({ limit }: Pace, { out, followed, waiting, busy }: PaceSeen): Pace {
  if (busy) return { limit: bounded(Math.min(limit * 0.75, Math.max(followed, leastOut))) };
  const heldBack = waiting && out >= limit * 0.75;
  return { limit: heldBack || followed >= limit ? bounded(limit * 1.5) : limit };
}

function bounded(limit: number): number {
  return Math.min(mostOut, Math.max(leastOut, Math.round(limit)));
}

/** When the last of those that are left will have followed, at the rate of late; undefined while nothing tells the rate. */
export function expectedEnd(left: number, perSecond: number, now: Date): Date | undefined {
  if (left === 0) return now;
  return perSecond > 0 ? new Date(now.getTime() + (left / perSecond) * 1000) : undefined;
}
