import type { Claims, ClaimValue } from './request.ts';
import { matchesPattern } from './strings.ts';

/** `<issuer>/<subject>` of a token; undefined unless it has both. */
export function requestPrincipal(claims: Claims | undefined): string | undefined {
  const { iss, sub } = claims ?? {};
  if (typeof iss !== 'string' || typeof sub !== 'string' || iss === '' || sub === '') return undefined;
  return `${iss}/${sub}`;
}

/** Names whose string is always a list of words (RFC 8693, section 4.2). */
const wordLists = ['scope', 'permission'];

/** The claims as conditions are compared with them: of some, a string is a list of the words in it. */
export function withWordLists(
  claims: Claims | undefined,
  spaceDelimited: readonly string[] = [],
): Claims | undefined {
  const names = new Set([...wordLists, ...spaceDelimited]);
  return (
    claims &&
    Object.fromEntries(
      Object.entries(claims).map(([name, value]) => [name, names.has(name) ? wordsOf(value) : value]),
    )
  );
}

/** Of nothing but spaces there are no words, and the string stays what it is. */
function wordsOf(value: ClaimValue): ClaimValue {
  const words = typeof value === 'string' ? value.split(' ').filter((word) => word !== '') : [];
  return words.length > 0 ? words : value;
}

/** A claim that is a string is compared itself, of a list each string in it; everything else matches nothing. */
export function matchesClaim(pattern: string, claims: Claims | undefined, path: readonly string[]): boolean {
  const found = claimAt(claims, path);
  return (isList(found) ? found : [found]).some((each) => matchesText(pattern, each));
}

/** Of a filter's metadata: `[pattern]` asks for a list in which a string matches, all others for a string. */
export function matchesMetadata(pattern: string, found: ClaimValue | undefined): boolean {
  const inList = listPattern(pattern);
  if (inList === undefined) return matchesText(pattern, found);
  return isList(found) && found.some((each) => matchesText(inList, each));
}

/** What stands in the brackets of `[pattern]`; undefined of what has none. */
export function listPattern(pattern: string): string | undefined {
  return /^\[(.*)\]$/s.exec(pattern)?.[1];
}

function matchesText(pattern: string, value: ClaimValue | undefined): boolean {
  return typeof value === 'string' && matchesPattern(pattern, value);
}

/** What stands there, as it is told: strings themselves, of a list each; everything else, which matches nothing, as JSON. */
export function textsAt(claims: Claims | undefined, path: readonly string[]): readonly string[] {
  const found = claimAt(claims, path);
  return (isList(found) ? found : [found]).flatMap((each) =>
    each === undefined ? [] : [typeof each === 'string' ? each : JSON.stringify(each)],
  );
}

function claimAt(claims: Claims | undefined, path: readonly string[]): ClaimValue | undefined {
  let value: ClaimValue | undefined = claims;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || isList(value)) return undefined;
    value = Object.hasOwn(value, name) ? value[name] : undefined;
  }
  return value;
}

function isList(value: ClaimValue | undefined): value is readonly ClaimValue[] {
  return Array.isArray(value);
}
