import type { MeshObject, ReadObject } from './read.ts';

export type MeshObjects = ReadonlyMap<string, MeshObject>;

/**
 * What one file gives now, after what it gave before. A broken object keeps its last good form: a DENY must not vanish
 * because of a slip in its next version. Where it cannot even be told which object is broken, all that the file had and
 * that is not there anew is kept.
 */
export function keepLastGood(
  read: readonly ReadObject[],
  before: MeshObjects,
): { readonly objects: MeshObjects; readonly problems: readonly string[] } {
  const objects = new Map<string, MeshObject>();
  const problems: string[] = [];
  let unknown = false;
  for (const { key, object, problems: found } of read) {
    if (key !== undefined && objects.has(key)) {
      problems.push(...found, `${key} stands twice in one file; the first one counts`);
      continue;
    }
    problems.push(...found);
    if (key === undefined) {
      unknown = true;
      continue;
    }
    const kept = object ?? before.get(key);
    if (kept) objects.set(key, kept);
  }
  if (unknown) {
    for (const [key, object] of before) if (!objects.has(key)) objects.set(key, object);
  }
  return { objects, problems };
}
