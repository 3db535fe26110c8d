/** When a leaf's holder is to renew it: at a moment within, uniformly at random (the idea of RFC 9773, section 4.2). */
export interface RenewalWindow {
  readonly start: Date;
  readonly end: Date;
}

export interface LeafLife {
  /** When it was issued: NotBefore is back-dated. */
  readonly issuedAt: Date;
  readonly notAfter: Date;
}

/** What is known of all the others, and of the server. Times and durations are milliseconds. */
export interface RenewalCircumstances {
  readonly now: Date;
  /** How many renewals are expected between two moments, this leaf's own apart. */
  readonly expected: (from: number, to: number) => number;
  /** Renewals a millisecond if all holders renewed at half life and were spread evenly. */
  readonly evenRate: number;
  /** Whether the server has more to sign than it can at once. */
  readonly busy: boolean;
  /** When all holders under this leaf's authority are expected to have been ordered to make new keys: it is tainted. */
  readonly reKeyedBy?: Date;
}

/**
 * Parts of the life. Nobody renews sooner than a third of it: a fleet then signs half as much again as at half life, at the
 * most. And nobody is asked to come later than at two thirds: the server may be away for a third of a life, and the agent,
 * which tries again within 30 s, has dozens of attempts (of an hour's leaf, 40 at least; of one of 11 s, three).
 */
const earliestPart = 1 / 3;
const latestPart = 2 / 3;
/** Under load, for who can wait: a sixth of the life is left, 10 minutes of an hour, 20 attempts at least. */
const latestPartUnderLoad = 5 / 6;
/** How far a busy server puts off who was about to come, as a part of the life: two such moves lead to the end of the above. */
const putOffPart = 1 / 12;
/** Who is late comes at once, but not all who are late in one moment. */
const latePart = 1 / 50;
/** Windows to choose among. More would be no more even, for a leaf comes anywhere within its window. */
const mostChoices = 60;
/** The shortest window, where the life permits: what an agent's own delays blur in any case. Milliseconds. */
export const slotMilliseconds = 30_000;

/**
 * Chooses a leaf's window: around half of its life where that takes no more than an even share of all renewals, else where
 * there are the fewest. Under load it is put off, under a tainted authority drawn in.
 */
export function decideWindow(
  { issuedAt, notAfter }: LeafLife,
  { now, expected, evenRate, busy, reKeyedBy }: RenewalCircumstances,
): RenewalWindow {
  const life = notAfter.getTime() - issuedAt.getTime();
  const at = (part: number) => issuedAt.getTime() + life * part;
  // That the server is busy now says nothing of when a leaf comes that was just issued.
  const later = now.getTime() + life * putOffPart;
  const putOff = busy && later > at(earliestPart);
  const closes = at(putOff ? latestPartUnderLoad : latestPart);
  if (reKeyedBy !== undefined) return drawnIn(now, reKeyedBy, closes, life * latePart);
  const opens = Math.max(at(earliestPart), putOff ? later : now.getTime());
  if (opens >= closes) return window(now.getTime(), now.getTime() + life * latePart);
  // On one grid for all leaves of this life: of windows that overlapped each would seem half empty at its end.
  const length =
    Math.ceil((life * (latestPart - earliestPart)) / mostChoices / slotMilliseconds) * slotMilliseconds;
  const first = Math.ceil(opens / length) * length;
  if (first + length > closes) return window(opens, closes);
  const wanted = putOff ? closes : at(1 / 2);
  let best = { start: first, cost: Infinity, distance: Infinity };
  for (let start = first; start + length <= closes; start += length) {
    // Up to its even share one is as good as another.
    const cost = Math.max(expected(start, start + length) + 1, evenRate * length);
    const distance = Math.abs(start + length / 2 - wanted);
    if (cost < best.cost || (cost === best.cost && distance < best.distance))
      best = { start, cost, distance };
  }
  return window(best.start, best.start + length);
}

/** Behind the order for a new key, for an agent that the order does not reach: it comes by itself soon after the last one. */
function drawnIn(now: Date, reKeyedBy: Date, closes: number, spread: number): RenewalWindow {
  const left = Math.max(0, reKeyedBy.getTime() - now.getTime());
  const start = Math.max(now.getTime(), Math.min(reKeyedBy.getTime() + left, closes));
  return window(start, start + Math.max(left, spread));
}

function window(start: number, end: number): RenewalWindow {
  return { start: new Date(start), end: new Date(end) };
}
