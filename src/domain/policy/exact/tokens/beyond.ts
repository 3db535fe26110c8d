import { conditionSubject } from '../../decide/index.ts';
import type { AuthorizationPolicy, Policy } from '../../model.ts';
import { asksOfNoText, carriersOf } from './carriers.ts';
import { asksOfTexts } from './made-headers.ts';
import { placeText, type TokenPlace, type WrittenTokenRule } from './rules.ts';

interface Side {
  readonly policies: readonly Policy[];
  readonly rules: readonly WrittenTokenRule[];
}

/** Of these headers a proxy, or what is before it, makes something else, so that what comes in them is not free. */
const ofTheirOwn =
  /^(?::.*|host|cookie|connection|content-length|expect|te|transfer-encoding|upgrade|x-forwarded-.*|x-envoy-.*)$/;

/** Why it is not worked out which of one token's requests are decided otherwise; undefined where it is. */
export function beyond(...sides: readonly [Side, Side]): string | undefined {
  const policies = sides.flatMap((side) => side.policies);
  const read = whatIsRead(policies);
  const places = sides.flatMap(({ rules }) => rules.flatMap((rule) => rule.places));
  if (areEntangled(places)) return 'tokens are looked for in places of which one may hold the other';
  if (places.some((place) => place.kind !== 'header' && read.headers.has(carrierOf(place))))
    return 'policies look at the query or the cookies in which tokens are, whose text is not known';
  const carriers = carriersOf(
    sides.flatMap(({ rules }) => rules),
    policies,
  );
  if (!carriers.every((carrier) => asksOfNoText(carrier, policies)))
    return 'policies ask for a part of the text of tokens, which is not known';
  if (carriers.some(({ place }) => sides.some(({ rules }) => !agreeOnPassing(rules, place))))
    return 'policies look at a header for tokens that some rules pass on, and others that hold beside them do not';
  const outputs = sides.flatMap(({ rules }) =>
    rules.flatMap((rule) => rule.outputs.map(({ header }) => header)),
  );
  const holders = new Set(places.map(carrierOf));
  // Whatever comes in such a header is thrown away before anybody looks for a token.
  if (outputs.some((name) => holders.has(name) || ofTheirOwn.test(name)))
    return 'what is made of tokens is put into headers that something else is read from';
  if (!sides.every(({ rules }) => asksOfTexts(rules, policies)))
    return 'policies look at headers that are made of tokens, and ask for what is no text in these, or of which rules make different things';
  if (read.filters.has('envoy.filters.http.jwt_authn')) return 'policies look at what is left of tokens';
  if (sides.some(({ rules }) => !agreeOnWords(rules, read.claims)))
    return 'policies look at claims that are read as words by some rules, and by others that hold beside them are not';
  if (areOneUnderTwoNames(sides.flatMap(({ rules }) => rules)))
    return 'one key stands there under two kids or algs';
  return undefined;
}

/** A header is searched for what stands before the token, so that two such may find one another's. */
function areEntangled(places: readonly TokenPlace[]): boolean {
  const prefixes = new Map<string, string>();
  for (const { kind, name, prefix } of places) {
    if (kind !== 'header') continue;
    if (ofTheirOwn.test(name) || (prefixes.get(name) ?? prefix) !== prefix) return true;
    prefixes.set(name, prefix);
  }
  return false;
}

function agreeOnPassing(rules: readonly WrittenTokenRule[], place: TokenPlace): boolean {
  const reading = rules.filter(({ places }) => places.some((each) => placeText(each) === placeText(place)));
  return new Set(reading.map(({ isPassedOn }) => isPassedOn)).size < 2;
}

/** The header that holds a token that is in a place. */
function carrierOf({ kind, name }: TokenPlace): string {
  return kind === 'header' ? name : kind === 'cookie' ? 'cookie' : ':path';
}

/** Which of several rules takes a token is not asked. What rules themselves look at is no list of words. */
function agreeOnWords(rules: readonly WrittenTokenRule[], read: ReadonlySet<string>): boolean {
  const all = new Set(rules.flatMap(({ words }) => words));
  return [...all].every(
    (name) => !names.has(name) && (!read.has(name) || rules.every(({ words }) => words.includes(name))),
  );
}

const names: ReadonlySet<string> = new Set(['iss', 'sub', 'aud', 'jti']);

/** What rules that are enforced look at, of that which tokens may change. */
function whatIsRead(policies: readonly Policy[]) {
  const headers = new Set<string>();
  const filters = new Set<string>();
  // What every rule may look at: by requestPrincipals, and to see whom a token is for.
  const claims = new Set<string>(names);
  const conditions = policies
    .filter((policy): policy is AuthorizationPolicy => policy.kind === 'AuthorizationPolicy')
    .flatMap(({ rules }) => rules.flatMap(({ when }) => when));
  for (const { key } of conditions) {
    const subject = conditionSubject(key);
    if (subject.kind === 'header') headers.add(subject.name);
    if (subject.kind === 'metadata') filters.add(subject.filter);
    if (subject.kind === 'request.auth.presenter') claims.add('azp');
    if (subject.kind !== 'claim') continue;
    claims.add(subject.path[0]);
  }
  return { headers, filters, claims };
}

function areOneUnderTwoNames(rules: readonly WrittenTokenRule[]): boolean {
  const known = new Map<string, string>();
  for (const { id, material } of rules.flatMap(({ keys }) => keys)) {
    if (material === undefined) continue;
    if ((known.get(material) ?? id) !== id) return true;
    known.set(material, id);
  }
  return false;
}
