import type { WantedKeySet } from './location.ts';

/**
 * Whom the places go to where there are too few: to the first of each namespace, then to the second of each, and so on.
 * It hangs on what is wanted alone, so that it is the same after a restart: one author with too many displaces his own.
 */
export function shareOut(
  wanted: ReadonlyMap<string, WantedKeySet>,
  places: number,
): ReadonlyMap<string, WantedKeySet> {
  if (wanted.size <= places) return wanted;
  const counts = new Map<string, number>();
  const ranked = [...wanted].map(([id, want]) => {
    let rank = Number.POSITIVE_INFINITY;
    for (const namespace of want.namespaces) {
      const count = counts.get(namespace) ?? 0;
      counts.set(namespace, count + 1);
      rank = Math.min(rank, count);
    }
    return { id, want, rank };
  });
  const first = ranked.toSorted((a, b) => a.rank - b.rank).slice(0, places);
  return new Map(first.map(({ id, want }) => [id, want]));
}
