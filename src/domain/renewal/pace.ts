/** How many orders for a new key may be out and not yet followed. */
export interface Pace {
  readonly limit: number;
}

export interface PaceSeen {
  /** Orders that are out and not yet followed. */
  readonly out: number;
  /** Orders that were followed in the last `followedTime`; undefined while it is not over for the first ones. */
  readonly followedLately: number | undefined;
  /** Whether more agents wait to be told. */
  readonly waiting: boolean;
  readonly busy: boolean;
}

/**
 * An order is to be followed within this time, on the average, milliseconds: well below an agent's deadline of a call, so that
 * none fails for waiting, and short for whoever comes for another reason and waits in the same line.
 */
export const followedTime = 1500;
/**
 * So few are out in any case: where each takes long by itself (slow nodes, slow token reviews) fewer would leave the server
 * idle. One that signs but seven a second has them followed in 5 s, half of an agent's deadline.
 */
export const leastOut = 32;
/** A server that signs 2,500 a second has these followed in a tenth of a second: more would only wait within it. */
export const mostOut = 256;
export const firstPace: Pace = { limit: leastOut };

/**
 * No more are out than were followed of late, so that the time that each takes settles at `followedTime` whatever the server
 * signs; half as many again at each look while it takes less, a quarter less while the server is busy.
 */
export function nextPace({ limit }: Pace, { out, followedLately, waiting, busy }: PaceSeen): Pace {
  const most = Math.min(mostOut, followedLately === undefined ? firstPace.limit : followedLately);
  const heldBack = waiting && out >= limit * 0.75;
  const wanted = busy ? limit * 0.75 : heldBack ? limit * 1.5 : limit;
  return { limit: Math.round(Math.max(leastOut, Math.min(wanted, most))) };
}

/** When the last of those that are left will have followed, at the rate of late; undefined while nothing tells the rate. */
export function expectedEnd(left: number, perSecond: number, now: Date): Date | undefined {
  if (left === 0) return now;
  return perSecond > 0 ? new Date(now.getTime() + (left / perSecond) * 1000) : undefined;
}
