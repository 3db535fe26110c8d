import { conditionSubject, isJoinedHeader } from '../../decide/index.ts';
import type { AuthorizationPolicy, Policy } from '../../model.ts';
import { writtenText } from '../text/pieces.ts';
import type { TokenPlace, WrittenTokenRule } from './rules.ts';

/**
 * A header in which tokens come, and at which policies look. A proxy searches it for what stands before a token, and takes
 * all that follows for one; a token that is taken is thrown away with its header, unless the rule passes it on.
 */
export interface Carrier {
  /** In small letters. */
  readonly name: string;
  readonly prefix: string;
  readonly place: TokenPlace;
}

/** Where the token stands in a header's value, in what is told of a request. */
export const tokenMark = '<token>';

/** Of a list of prefixes: that one of them stands in the header. */
export const holdsTokenField = 'holdsToken';

/** The headers for tokens at which policies look, each once. */
export function carriersOf(
  rules: readonly Pick<WrittenTokenRule, 'places'>[],
  policies: readonly Policy[],
): readonly Carrier[] {
  const read = new Set(headerLists(policies).map(({ name }) => name));
  const found = new Map<string, Carrier>();
  for (const place of rules.flatMap(({ places }) => places))
    if (place.kind === 'header' && read.has(place.name))
      found.set(place.name, { name: place.name, prefix: place.prefix, place });
  return [...found.values()];
}

/** Whether all that policies ask of a carrier has an answer that does not hang on the text of a good token. */
export function asksOfNoText({ name, prefix }: Carrier, policies: readonly Policy[]): boolean {
  return headerLists(policies)
    .filter((list) => list.name === name)
    .every(({ patterns }) => patterns.every((pattern) => isAnswered(pattern, name, prefix)));
}

function isAnswered(pattern: string, name: string, prefix: string): boolean {
  if (pattern === '*') return true;
  // How a signature ends nobody can say.
  if (pattern.startsWith('*')) return false;
  const text = writtenText(pattern);
  const at = text.indexOf(prefix);
  if (!isWildcard(pattern)) {
    // A good token has three parts, and this is none: so it is a bad one, or none.
    const rest = at === -1 ? '' : text.slice(at + prefix.length);
    return rest.split('.').length < 3 && !text.includes(tokenMark);
  }
  // Of several values that stand by themselves the one with the token would have to be told apart.
  if (prefix === '' || !isJoinedHeader(name)) return false;
  return at === -1 || at + prefix.length === text.length;
}

/** Whether no value with a good token in it can match: an exact text that has what stands before a token. */
export function isOfBadTokens({ prefix }: Carrier, pattern: string): boolean {
  return !isWildcard(pattern) && pattern.includes(prefix);
}

function isWildcard(pattern: string): boolean {
  return pattern.startsWith('*') || pattern.endsWith('*');
}

/** What policies ask of headers, list by list. */
export function headerLists(policies: readonly Policy[]) {
  return policies
    .filter((policy): policy is AuthorizationPolicy => policy.kind === 'AuthorizationPolicy')
    .flatMap(({ rules }) => rules.flatMap(({ when }) => when))
    .flatMap(({ key, values, notValues }) => {
      const subject = conditionSubject(key);
      return subject.kind === 'header' ? [{ name: subject.name, patterns: [...values, ...notValues] }] : [];
    });
}
