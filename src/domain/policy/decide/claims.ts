import type { Claims, ClaimValue } from './request.ts';
import { matchesPattern } from './strings.ts';

/** `<issuer>/<subject>` of a token; undefined unless it has both. */
export function requestPrincipal(claims: Claims | undefined): string | undefined {
  const { iss, sub } = claims ?? {};
  if (typeof iss !== 'string' || typeof sub !== 'string' || iss === '' || sub === '') return undefined;
  return `${iss}/${sub}`;
}

/** Names whose string is a list of words (RFC 8693, section 4.2). */
const wordLists: ReadonlySet<string> = new Set(['scope', 'permission']);

/** A claim that is a string is compared itself, of a list each string in it; everything else matches nothing. */
export function matchesClaim(pattern: string, claims: Claims | undefined, path: readonly string[]): boolean {
  const found = claimAt(claims, path);
  const [first = ''] = path;
  const words =
    path.length === 1 && wordLists.has(first) && typeof found === 'string'
      ? found.split(' ').filter((word) => word !== '')
      : [];
  // Of nothing but spaces there are no words, and the string stays what it is.
  const value = words.length > 0 ? words : found;
  const values: readonly (ClaimValue | undefined)[] = isList(value) ? value : [value];
  return values.some((each) => typeof each === 'string' && matchesPattern(pattern, each));
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
