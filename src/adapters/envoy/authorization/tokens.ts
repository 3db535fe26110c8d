import type { Principal } from '../../../gen/envoy/config/rbac/v3/rbac.ts';
import type { StringMatcher } from '../../../gen/envoy/type/matcher/v3/string.ts';
import { principalMetadata } from './metadata.ts';
import { anyInList, exact, notEmpty, patternMatcher, prefix, stringValue, suffix } from './strings.ts';
import { principals } from './terms.ts';

/** Where the filter for tokens leaves the claims of a valid one. */
const tokenFilter = 'envoy.filters.http.jwt_authn';
export const payloadKey = 'payload';

const { all, some } = principals;

/** A claim that is a string, or a list in which a string matches. */
export function claim(path: readonly string[], pattern: string): Principal {
  const text = patternMatcher(pattern);
  return principalMetadata(tokenFilter, [payloadKey, ...path], {
    matchPattern: { $case: 'orMatch', value: { valueMatchers: [stringValue(text), anyInList(text)] } },
  });
}

/**
 * `<issuer>/<subject>`, which Envoy knows in two pieces only. A pattern says where it may be cut: at each of its slashes,
 * or, of an open end, not at all.
 */
export function tokenPrincipal(pattern: string): Principal {
  const whole = all([piece('iss', notEmpty), piece('sub', notEmpty)]);
  if (pattern === '*') return whole;
  const open = pattern.startsWith('*') ? 'start' : pattern.endsWith('*') ? 'end' : undefined;
  const text = open === 'start' ? pattern.slice(1) : open === 'end' ? pattern.slice(0, -1) : pattern;
  const cuts = [...text.matchAll(/\//g)]
    .map(({ index }) => [text.slice(0, index), text.slice(index + 1)] as const)
    .map(([issuer, subject]) => {
      const ends =
        open === 'start' && issuer !== '' ? suffix(issuer) : open === 'start' ? notEmpty : exact(issuer);
      const begins =
        open === 'end' && subject !== '' ? prefix(subject) : open === 'end' ? notEmpty : exact(subject);
      return all([piece('iss', ends), piece('sub', begins)]);
    });
  const uncut =
    open === 'start' ? [piece('sub', suffix(text))] : open === 'end' ? [piece('iss', prefix(text))] : [];
  return all([whole, some([...uncut, ...cuts])]);
}

function piece(name: string, matcher: StringMatcher): Principal {
  return principalMetadata(tokenFilter, [payloadKey, name], stringValue(matcher));
}
