import { once } from '../../../../kernel/index.ts';
import type { JwtRule, Policy } from '../../model.ts';
import { readInlineKeys } from '../../read/index.ts';
import { isForAudience, isOfIssuer } from '../../token-rule.ts';
import { outputsOf, type TokenOutput } from './made-headers.ts';

/** Where a token may come in a request. */
export interface TokenPlace {
  readonly kind: 'header' | 'parameter' | 'cookie';
  /** Of a header in small letters. */
  readonly name: string;
  /** What stands before it, of a header alone. */
  readonly prefix: string;
}

/** What verifies tokens: a key that a policy brings, or whatever is fetched from somewhere. */
export interface TokenKey {
  /** May hold a secret: not to be told. */
  readonly id: string;
  /** Of a key that is brought: what makes it this one, whatever is said beside it. May be a secret too. */
  readonly material: string | undefined;
  /** For people, as far as it can be told. */
  readonly name: string;
}

/** A rule as it was written. */
export interface WrittenTokenRule extends Omit<TokenRule, 'keys'> {
  readonly keys: readonly TokenKey[];
}

/** A rule of a RequestAuthentication, as far as it says which tokens are taken. */
export interface TokenRule {
  readonly issuer: string | undefined;
  readonly audiences: readonly string[];
  readonly places: readonly TokenPlace[];
  /** By names of which each is one key alone. */
  readonly keys: readonly string[];
  /** Claims of which a string is read as its words, beside those of which it always is. */
  readonly words: readonly string[];
  /** Whether the header of a token that is taken is left in the request. */
  readonly isPassedOn: boolean;
  /** Headers that are made of a token that is taken. */
  readonly outputs: readonly TokenOutput[];
}

/** What is asked whether it is taken; its times are taken to be good. */
export interface AskedToken {
  /** As placeText tells it. */
  readonly place: string;
  /** Undefined where it is none that any rule has. */
  readonly key: string | undefined;
  readonly issuer: readonly string[];
  readonly audiences: readonly string[];
}

export function writtenRules(policies: readonly Policy[]): readonly WrittenTokenRule[] {
  return jwtRules(policies).map((rule) => ({
    issuer: rule.issuer,
    audiences: rule.audiences,
    places: placesOf(rule),
    keys: keysOf(rule),
    words: rule.spaceDelimitedClaims.filter((name) => !isAlwaysWords(name)),
    isPassedOn: rule.forwardOriginalToken,
    outputs: outputsOf(rule),
  }));
}

const isAlwaysWords = (name: string) => name === 'scope' || name === 'permission';

/** Which claims are read as words, on which rules that hold together agree as far as policies look at them. */
export function wordsOf(rules: readonly TokenRule[] = []): readonly string[] {
  return [...new Set(rules.flatMap(({ words }) => words))].toSorted();
}

function jwtRules(policies: readonly Policy[]): readonly JwtRule[] {
  return policies.flatMap((policy) => (policy.kind === 'RequestAuthentication' ? policy.jwtRules : []));
}

/**
 * What becomes of a token: `unread` where nobody looks in its place, and so as if it were not there.
 * @param rules those that hold at one place
 */
export function outcomeOf(
  rules: readonly TokenRule[],
  { place, key, issuer, audiences }: AskedToken,
): 'unread' | 'taken' | 'refused' {
  const reading = rulesReading(rules, place);
  if (reading.length === 0) return 'unread';
  const isTaken = reading.some(
    (rule) =>
      key !== undefined &&
      rule.keys.includes(key) &&
      isOfIssuer(rule, issuer) &&
      isForAudience(rule, audiences),
  );
  return isTaken ? 'taken' : 'refused';
}

/** @param place as placeText tells it */
export function rulesReading(rules: readonly TokenRule[], place: string): readonly TokenRule[] {
  return rules.filter(({ places }) => places.some((each) => placeText(each) === place));
}

/** As proxies look: where a rule names no place, in the two of RFC 6750, sections 2.1 and 2.3. */
function placesOf({ fromHeaders, fromParams, fromCookies }: JwtRule): readonly TokenPlace[] {
  const named: readonly TokenPlace[] = [
    ...fromHeaders.map(({ name, prefix }) => ({ kind: 'header' as const, name: name.toLowerCase(), prefix })),
    ...fromParams.map((name) => ({ kind: 'parameter' as const, name, prefix: '' })),
    ...fromCookies.map((name) => ({ kind: 'cookie' as const, name, prefix: '' })),
  ];
  if (named.length > 0) return named;
  return [
    { kind: 'header', name: 'authorization', prefix: 'Bearer ' },
    { kind: 'parameter', name: 'access_token', prefix: '' },
  ];
}

/** One text for each place. */
export function placeText({ kind, name, prefix }: TokenPlace): string {
  if (kind === 'parameter') return `query parameter ${name}`;
  return `${kind} ${name}${prefix === '' ? '' : ` after ${JSON.stringify(prefix)}`}`;
}

/** What is behind two addresses is taken to be two things, and never what a policy brings itself. */
const keysOf = once(({ issuer, jwks, jwksUri }: JwtRule): readonly TokenKey[] => {
  const fetched = (name: string): readonly TokenKey[] => [{ id: name, material: undefined, name }];
  if (jwksUri !== undefined && jwks === undefined) return fetched(`the keys of ${jwksUri}`);
  if (jwks === undefined) return fetched(`the keys that ${issuer ?? ''} describes`);
  const read = readInlineKeys(jwks);
  if ('message' in read) return [];
  // What readInlineKeys gives holds keys of strings alone.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const { keys } = JSON.parse(read.jwks) as { readonly keys: readonly Readonly<Record<string, string>>[] };
  return keys.map((key) => {
    const { kid, alg, use: _, ...material } = key;
    return {
      id: JSON.stringify(sorted({ ...material, kid, alg })),
      material: JSON.stringify(sorted(material)),
      name: kid === undefined ? 'a key without a kid' : `the key ${kid}`,
    };
  });
});

function sorted(key: Readonly<Record<string, string | undefined>>): object {
  return Object.entries(key).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
