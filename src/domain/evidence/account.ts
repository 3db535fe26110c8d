import type { Coverage, ProxyCounters } from './model.ts';

/**
 * Whether all that a proxy logged has arrived. Envoy tells of no loss when a stream breaks: entries that were handed to
 * one are gone without a word, and no counter of losses moves. So what it says to have handed over is held against what
 * came.
 */
export interface Account {
  /** Entries that came from the present Envoy process. */
  readonly received: number;
  /** Entries of it that were given up. */
  readonly lost: number;
  readonly counters: ProxyCounters | undefined;
  /** Reports that wait for what they speak of, the oldest first. */
  readonly waiting: readonly ProxyCounters[];
  readonly coverage: Coverage | undefined;
  readonly confirmedAt: Date | undefined;
  readonly brokenAt: Date | undefined;
}

export const newAccount: Account = {
  received: 0,
  lost: 0,
  counters: undefined,
  waiting: [],
  coverage: undefined,
  confirmedAt: undefined,
  brokenAt: undefined,
};

/** Milliseconds in which an entry that was handed over arrives, or does not any more. */
const arrival = 10_000;
/** An agent works out when its Envoy began from seconds of uptime. */
const tolerance = 3_000;
const mostWaiting = 16;

/** Whether two reports are of one Envoy process. */
function sameProcess(a: ProxyCounters, b: ProxyCounters): boolean {
  return Math.abs(a.startedAt.getTime() - b.startedAt.getTime()) <= tolerance && b.flushed >= a.flushed;
}

/** Entries came. */
export function received(account: Account, count: number, now: Date): Account {
  return settle({ ...account, received: account.received + count }, now);
}

/** Entries came that cannot be read: of what they would have told, nothing is known. */
export function refused(account: Account, count: number, reason: string, now: Date): Account {
  const after = received(account, count, now);
  if (after.coverage === undefined) return after;
  return {
    ...after,
    coverage: { since: now, reason: `${count} entries of its log could not be read: ${reason}` },
  };
}

/** A stream ended; what was under way may be lost. */
export function broken(account: Account, now: Date): Account {
  return { ...account, brokenAt: now };
}

/**
 * @param arrived entries from streams that began with this Envoy process; asked only when it is another than before
 * @param logging whether the proxy is known to have listeners that log
 */
export function reported(
  before: Account,
  counters: ProxyCounters,
  {
    arrived,
    logging,
    now,
  }: { readonly arrived: () => number; readonly logging: boolean; readonly now: Date },
): Account {
  const same = before.counters !== undefined && sameProcess(before.counters, counters);
  const account: Account = same ? before : { ...newAccount, received: arrived(), brokenAt: before.brokenAt };
  const dropped = counters.dropped - (same ? (before.counters?.dropped ?? 0) : 0);
  const begun = account.coverage ?? (logging ? { since: now, reason: begin(before) } : undefined);
  const coverage = dropped > 0 ? { since: now, reason: `its proxy threw ${dropped} entries away` } : begun;
  const waiting = [...account.waiting, counters].slice(-mostWaiting);
  return settle({ ...account, counters, waiting, coverage }, now);
}

function begin({ counters }: Account): string {
  return counters === undefined ? 'its proxy began to log then' : 'its proxy was started again';
}

/** Time alone settles too: what has not come by now does not come. */
export function settle(account: Account, now: Date): Account {
  const { counters, waiting } = account;
  const have = account.received + account.lost;
  const confirmed = waiting.findLast(({ flushed }) => flushed <= have);
  const rest = waiting.filter(({ flushed }) => flushed > have);
  const overdue = rest.findLast(({ observedAt }) => now.getTime() - observedAt.getTime() > arrival);
  const settled: Account = {
    ...account,
    waiting: rest,
    confirmedAt: confirmed?.observedAt ?? account.confirmedAt,
    brokenAt:
      confirmed && account.brokenAt && confirmed.observedAt > account.brokenAt ? undefined : account.brokenAt,
  };
  if (!overdue || !counters) return settled;
  const missing = overdue.flushed - have;
  return settle(
    {
      ...settled,
      lost: account.lost + missing,
      coverage: { since: now, reason: `${missing} entries of its log have been lost` },
    },
    now,
  );
}
