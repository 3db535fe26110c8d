import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import type { Rules } from './rules.ts';
import { moduleReferences } from './scan.ts';

/** Source texts by their path from the repository's root, with forward slashes. */
export type Sources = ReadonlyMap<string, string>;

export interface Violation {
  /** `path:line`. */
  readonly at: string;
  readonly reason: string;
}

interface Import {
  readonly from: string;
  readonly line: number;
  readonly specifier: string;
}

/** The workspace package whose sources lie in spiffe/src. */
const spiffePackage = '@citadel/spiffe';

/** Holds all sources against the rules; an empty answer means that they keep them. */
export function checkArchitecture(sources: Sources, rules: Rules): Violation[] {
  const violations: Violation[] = [];
  const libraries = new Map<string, Import[]>();
  for (const [path, text] of sources) {
    if (!(layerOf(path) in rules.layers))
      violations.push({ at: path, reason: `${layerOf(path)} is no known layer` });
    for (const { specifier, line } of moduleReferences(text)) {
      if (specifier === undefined) {
        violations.push({
          at: `${path}:${line}`,
          reason: 'imports a computed name, which no rule can check',
        });
        continue;
      }
      const found = { from: path, line, specifier };
      const reason = isLibrary(specifier) ? undefined : reasonAgainst(found, sources, rules);
      if (reason !== undefined) violations.push({ at: `${path}:${line}`, reason });
      if (isLibrary(specifier)) collect(libraries, libraryOf(specifier), found);
    }
  }
  return [...violations, ...libraryViolations(libraries, rules)];
}

function isLibrary(specifier: string): boolean {
  return !specifier.startsWith('.') && !isBuiltin(specifier) && !isSpiffe(specifier);
}

function isSpiffe(specifier: string): boolean {
  return specifier === spiffePackage || specifier.startsWith(`${spiffePackage}/`);
}

/** The package of a specifier: `drizzle-orm/sqlite-core` is drizzle-orm's. */
function libraryOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** The layer of a file: the folder below src, or spiffe. */
function layerOf(path: string): string {
  const [top, second = ''] = path.split('/');
  return top === 'spiffe' ? 'spiffe' : second;
}

/** The folder that counts for libraries: the layer's, or the kind of adapter. */
function folderOf(path: string): string {
  const segments = posix.dirname(path).split('/');
  if (segments[0] === 'spiffe') return 'spiffe';
  return segments.slice(0, segments[1] === 'adapters' ? 3 : 2).join('/');
}

function reasonAgainst({ from, specifier }: Import, sources: Sources, rules: Rules): string | undefined {
  if (isBuiltin(specifier)) return undefined;
  const layer = layerOf(from);
  if (isSpiffe(specifier)) {
    if (specifier !== spiffePackage)
      return `imports ${specifier}; the package has one door, ${spiffePackage}`;
    return reasonAgainstLayer(layer, 'spiffe', rules);
  }
  const target = posix.normalize(posix.join(posix.dirname(from), specifier));
  if (layer === 'spiffe' ? !target.startsWith('spiffe/src/') : !target.startsWith('src/')) {
    return `imports ${target}, which lies outside ${layer === 'spiffe' ? 'spiffe/src' : 'src'}`;
  }
  // Generated code is not among the sources: it is checked by its generator.
  if (!sources.has(target) && layerOf(target) !== 'gen') return `imports ${target}, which does not exist`;
  return reasonAgainstLayer(layer, layerOf(target), rules) ?? reasonAgainstDoor(from, target, sources, rules);
}

function reasonAgainstLayer(from: string, to: string, rules: Rules): string | undefined {
  if (from === to || rules.layers[from]?.includes(to)) return undefined;
  return `${from} must not import ${to}`;
}

/**
 * A folder's files belong to it and to the folders in it; everyone else comes in through its door. Within a layer a folder
 * may do without a door and so be open to its layer; a layer may not.
 */
function reasonAgainstDoor(from: string, target: string, sources: Sources, rules: Rules): string | undefined {
  const own = posix.dirname(from);
  const other = posix.dirname(target);
  if (own === other || own.startsWith(`${other}/`)) return undefined;
  if (rules.doors.some((door) => door.test(target))) return undefined;
  const ways = foldersOnTheWay(own, other).map((folder) => `${folder}/index.ts`);
  const door = ways.find((way) => sources.has(way));
  if (door === undefined && layerOf(from) === layerOf(target)) return undefined;
  return target === door ? undefined : `imports ${target} past its door, ${door ?? ways.join(' or ')}`;
}

/** The folders from outside in, from the first that does not hold `own` to `other`. */
function foldersOnTheWay(own: string, other: string): string[] {
  const [mine, theirs] = [own.split('/'), other.split('/')];
  const parting = theirs.findIndex((segment, index) => segment !== mine[index]);
  return theirs.slice(parting).map((_, index) => theirs.slice(0, parting + index + 1).join('/'));
}

function collect<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else values.push(value);
}

function libraryViolations(libraries: ReadonlyMap<string, readonly Import[]>, rules: Rules): Violation[] {
  return [...libraries].flatMap(([library, imports]) => {
    const byFolder = new Map<string, Import[]>();
    for (const found of imports) collect(byFolder, folderOf(found.from), found);
    const allowed = rules.shared[library]?.folders ?? [...byFolder.keys()].sort(byUse(byFolder)).slice(0, 1);
    return imports
      .filter(({ from }) => !allowed.includes(folderOf(from)))
      .map(({ from, line }) => ({
        at: `${from}:${line}`,
        reason: `imports ${library}, which belongs to ${allowed.join(', ')}`,
      }));
  });
}

/** A library's home is the folder that imports it most. */
function byUse(byFolder: ReadonlyMap<string, readonly Import[]>) {
  return (a: string, b: string) =>
    (byFolder.get(b)?.length ?? 0) - (byFolder.get(a)?.length ?? 0) || a.localeCompare(b);
}
