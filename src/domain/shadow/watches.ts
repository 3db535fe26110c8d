import type { ShadowCounting, ShadowGap, ShadowWatch } from './model.ts';

/** Milliseconds after which a server that counts says so again, at the latest. */
export const watchInterval = 5_000;
/** Milliseconds after which one that has said nothing counts no more. */
const silence = 3 * watchInterval;
/** How many are kept: each start of a server is one. */
const mostWatches = 50;

/** Pure: who has counted, once one of them has said so again. Of too many, the first two are made one. */
export function addWatch(watches: readonly ShadowWatch[], added: ShadowWatch): readonly ShadowWatch[] {
  const others = watches.filter(({ id }) => id !== added.id);
  const all = [...others, added].toSorted(
    (a, b) => a.since.getTime() - b.since.getTime() || (a.id < b.id ? -1 : 1),
  );
  const [first, second, ...rest] = all;
  return all.length > mostWatches && first && second ? [{ ...second, since: first.since }, ...rest] : all;
}

/** Pure: since when calls have been counted, and when not. */
export function countingOf(watches: readonly ShadowWatch[], now: Date): ShadowCounting {
  const gaps: ShadowGap[] = [];
  let end: Date | undefined;
  for (const { since, until } of watches) {
    if (end && since > end) gaps.push({ from: end, until: since });
    if (!end || until > end) end = until;
  }
  const dead = (watch: ShadowWatch) => !watch.closed && now.getTime() - watch.until.getTime() > silence;
  // It may have got some more before it was lost.
  const lost = watches.filter(dead).map(({ until }) => until.getTime() + watchInterval);
  return {
    since: watches[0]?.since,
    gaps,
    unbrokenSince: lost.length === 0 ? undefined : new Date(Math.max(...lost)),
  };
}
