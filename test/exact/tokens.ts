import type { Claims, ClaimValue } from '../../src/domain/policy/index.ts';
import { type Mention, namesUnder, patternsOf } from './mentions.ts';
import { samplesOf } from './strings.ts';

/** Claims around everything that policies say of them: absent, strings, lists, what is no string, nested, in the way. */
export function tokensFor(mentions: readonly Mention[]): readonly (Claims | undefined)[] {
  const fields = namesUnder(mentions, 'request.auth.claims').map((path) => ({
    path,
    values: valuesFor(patternsOf(mentions, `request.auth.claims[${path.join('][')}]`)),
  }));
  const principals = patternsOf(mentions, 'requestPrincipals');
  let tokens: readonly Claims[] = [{}];
  for (const { path, values } of fields)
    tokens = tokens.flatMap((token) => [
      token,
      ...values.flatMap((value) => [placed(token, path, value)]),
      ...(path.length > 1 ? [placed(token, path.slice(0, -1), 'x')] : []),
    ]);
  if (principals.length > 0)
    tokens = tokens.flatMap((token) => [
      token,
      ...issued(principals).map((names) => ({ ...token, ...names })),
    ]);
  return [undefined, ...tokens];
}

function valuesFor(patterns: readonly string[]): readonly ClaimValue[] {
  const samples = samplesOf(patterns);
  const [first = 'x', second = 'y'] = samples.filter((each) => each !== '');
  return [
    ...samples,
    ...samples.map((each) => [each]),
    ...samples.slice(0, 6).map((each) => [each, second]),
    [first, 7, [second]],
    [],
    `${first} ${second}`,
    7,
    { a: first },
  ];
}

/** An issuer and a subject, cut at each slash that a name may be cut at. */
function issued(patterns: readonly string[]): readonly Claims[] {
  return samplesOf(patterns).flatMap((name) => [
    ...[...name.matchAll(/\//g)].map(({ index }) => ({
      iss: name.slice(0, index),
      sub: name.slice(index + 1),
    })),
    { iss: name, sub: 'x' },
    { iss: 'x', sub: name },
    { iss: name },
  ]);
}

function placed(into: Claims, path: readonly string[], value: ClaimValue): Claims {
  const [name = '', ...rest] = path;
  if (rest.length === 0) return { ...into, [name]: value };
  const found = into[name];
  return { ...into, [name]: placed(isClaims(found) ? found : {}, rest, value) };
}

function isClaims(value: ClaimValue | undefined): value is Claims {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
