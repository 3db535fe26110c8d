import type { MeshObject, ReadObject } from './read.ts';

export type MeshObjects = ReadonlyMap<string, MeshObject>;

/** One line, and whether an earlier form of what it is about is in force meanwhile. */
export interface ObjectProblem {
  readonly reason: string;
  readonly kept: boolean;
}

/**
 * What one file gives now, after what it gave before. A broken object keeps its last good form: a DENY must not vanish
 * because of a slip in its next version. Where it cannot even be told which object is broken, all that the file had and
 * that is not there anew is kept.
 * @param elsewhere the last good form of an object that this file did not have: it may have come from another one
 */
export function keepLastGood(
  read: readonly ReadObject[],
  before: MeshObjects,
  elsewhere: MeshObjects = new Map(),
): { readonly objects: MeshObjects; readonly problems: readonly ObjectProblem[] } {
  const objects = new Map<string, MeshObject>();
  const problems: ObjectProblem[] = [];
  let unknown = false;
  for (const { key, object, problems: found } of read) {
    if (key !== undefined && objects.has(key)) {
      const twice = `${key} stands twice in one file; the first one counts`;
      problems.push(...[...found, twice].map((reason) => ({ reason, kept: true })));
      continue;
    }
    const kept = key === undefined ? undefined : (object ?? before.get(key) ?? elsewhere.get(key));
    if (key === undefined) unknown = true;
    else if (kept) objects.set(key, kept);
    problems.push(...found.map((reason) => ({ reason, kept: kept !== undefined })));
  }
  if (!unknown) return { objects, problems };
  const left = [...before].filter(([key]) => !objects.has(key));
  for (const [key, object] of left) objects.set(key, object);
  return { objects, problems: problems.map((each) => ({ ...each, kept: each.kept || left.length > 0 })) };
}
