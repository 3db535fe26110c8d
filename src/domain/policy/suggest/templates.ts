import { compareText } from '../../../kernel/index.ts';
import { faultOfPath } from '../read/index.ts';
import { looksLikeIdentifier } from './identifiers.ts';

/** A value of `paths`, and the paths that it was made of. */
export interface PathPattern {
  readonly pattern: string;
  readonly paths: readonly string[];
}

const one = '{*}';

interface Branch {
  readonly path: string;
  readonly left: readonly string[];
}

/**
 * Paths as they may stand in a policy: where behind the same beginning as many as `variety` identifiers differ, they are
 * one segment, whatever it is; all else stays as it is. What cannot be written as a template stays as it is too.
 * @param paths canonical
 */
export function generalise(paths: Iterable<string>, variety: number): readonly PathPattern[] {
  const branches = [...new Set(paths)].map((path): Branch => ({ path, left: path.split('/').slice(1) }));
  return below('', branches, variety)
    .flatMap((each) => (faultOfPath(each.pattern) === undefined ? [each] : each.paths.map(exactly)))
    .toSorted((a, b) => compareText(a.pattern, b.pattern));
}

const exactly = (path: string): PathPattern => ({ pattern: path, paths: [path] });

function below(prefix: string, branches: readonly Branch[], variety: number): readonly PathPattern[] {
  const ends = branches.filter(({ left }) => left.length === 0).map(({ path }) => path);
  const bySegment = new Map<string, Branch[]>();
  for (const { path, left } of branches) {
    const [segment, ...rest] = left;
    if (segment === undefined) continue;
    const known = bySegment.get(segment);
    if (known) known.push({ path, left: rest });
    else bySegment.set(segment, [{ path, left: rest }]);
  }
  const identifiers = [...bySegment.keys()].filter(looksLikeIdentifier);
  const merged = new Set(identifiers.length >= variety ? identifiers : []);
  const open = [...merged].flatMap((segment) => bySegment.get(segment) ?? []);
  const rest = [...bySegment].filter(([segment]) => !merged.has(segment));
  return [
    ...(ends.length > 0 ? [{ pattern: prefix, paths: ends }] : []),
    ...(open.length > 0 ? below(`${prefix}/${one}`, open, variety) : []),
    ...rest.flatMap(([segment, own]) => below(`${prefix}/${segment}`, own, variety)),
  ];
}
