import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Policy } from '../../../../../src/domain/policy/index.ts';
import { policy } from '../mesh.ts';
import { allTokens, isTokenIn, type Rule, verdictOf } from './sent-tokens.ts';
import { allow, authorization, compareHttp, deny, from, to, unless, when } from './worlds.ts';

const jwk = (kid: string) => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...publicKey.export({ format: 'jwk' }), kid };
};
const [keyA, keyB] = [jwk('a'), jwk('b')];
const keySet = (...keys: readonly object[]) => JSON.stringify({ keys });
const [one, two] = ['https://one.example', 'https://two.example'];

/** As it is written, beside what a table says of it. */
interface Written {
  readonly spec: object;
  readonly told: Rule;
}

const keySources = {
  a: { spec: { jwks: keySet(keyA) }, keys: ['the key a'] },
  b: { spec: { jwks: keySet(keyB) }, keys: ['the key b'] },
  both: { spec: { jwks: keySet(keyB, keyA) }, keys: ['the key a', 'the key b'] },
  fetched: { spec: { jwksUri: `${one}/keys` }, keys: [`the keys of ${one}/keys`] },
  elsewhere: { spec: { jwksUri: `${two}/keys` }, keys: [`the keys of ${two}/keys`] },
};
const sources = {
  standard: { spec: {}, places: ['header authorization after "Bearer "', 'query parameter access_token'] },
  header: { spec: { fromHeaders: [{ name: 'X-Token' }] }, places: ['header x-token'] },
  cookie: { spec: { fromCookies: ['session'] }, places: ['cookie session'] },
  parameter: { spec: { fromParams: ['t'] }, places: ['query parameter t'] },
};

function rule(
  issuer: string | undefined,
  keys: keyof typeof keySources,
  place: keyof typeof sources = 'standard',
  audiences?: readonly string[],
): Written {
  const some = { ...(issuer === undefined ? {} : { issuer }), ...(audiences && { audiences }) };
  const { spec, keys: names } = keySources[keys];
  const { spec: where, places } = sources[place];
  return { spec: { ...some, ...spec, ...where }, told: { ...some, keys: names, places } };
}

function tokens(rules: readonly Written[], more: object = {}): readonly Policy[] {
  return rules.map(({ spec }, at) =>
    policy(`shop/tokens-${at}`, { jwtRules: [{ ...spec, ...more }] }, { kind: 'RequestAuthentication' }),
  );
}

const staff = allow(when('request.auth.claims[groups]', 'staff'));
const named = (...patterns: string[]) => allow(from({ requestPrincipals: patterns }));
const everybody: readonly Policy[] = [];

type Case = readonly [
  name: string,
  before: readonly Written[],
  after: readonly Written[],
  policies: readonly Policy[] | readonly [before: readonly Policy[], after: readonly Policy[]],
  /** Empty: nothing changes. */
  changes: readonly ('allowed' | 'denied')[],
  /** Of one of the witnesses. */
  token?: object,
];

const issuerOne = rule(one, 'a');
const cases: readonly Case[] = [
  [
    'an issuer more, all let in',
    [issuerOne],
    [issuerOne, rule(two, 'b')],
    everybody,
    ['allowed'],
    { signedBy: 'the key b' },
  ],
  [
    'an issuer more, who is asked by name',
    [issuerOne],
    [issuerOne, rule(two, 'b')],
    [named(`${two}/*`)],
    ['allowed'],
    { signedBy: 'the key b', claims: { iss: two } },
  ],
  [
    'an issuer more, whom policies do not name',
    [issuerOne],
    [issuerOne, rule(two, 'b')],
    [named(`${one}/*`)],
    [],
  ],
  [
    'an issuer less',
    [issuerOne, rule(two, 'b')],
    [issuerOne],
    [staff],
    ['denied'],
    { signedBy: 'the key b', claims: { iss: two } },
  ],
  [
    'the only rule gone: a bad token is none',
    [issuerOne],
    [],
    everybody,
    ['allowed'],
    { signedBy: undefined },
  ],
  ['the only rule gone, a token required', [issuerOne], [], [staff], ['denied'], { signedBy: 'the key a' }],
  ['a first rule: a bad token is refused', [], [issuerOne], everybody, ['denied']],
  [
    'a first rule beside a denial of those with a token',
    [],
    [issuerOne],
    [deny(from({ requestPrincipals: ['*'] }))],
    ['denied'],
  ],
  [
    'a first rule where nobody may call',
    [],
    [issuerOne],
    [allow(to({ paths: ['/none'] }), from({ requestPrincipals: ['*'] }))],
    ['allowed', 'denied'],
  ],
  [
    'an audience asked for',
    [issuerOne],
    [rule(one, 'a', 'standard', ['shop'])],
    [staff],
    ['denied'],
    { signedBy: 'the key a' },
  ],
  [
    'an audience fewer',
    [rule(one, 'a', 'standard', ['shop', 'old'])],
    [rule(one, 'a', 'standard', ['shop'])],
    [staff],
    ['denied'],
    { claims: { aud: 'old' } },
  ],
  [
    'an audience written otherwise',
    [rule(one, 'a', 'standard', ['https://shop/'])],
    [rule(one, 'a', 'standard', ['shop'])],
    [staff],
    [],
  ],
  [
    'an audience no longer asked for, by a policy now',
    [rule(one, 'a', 'standard', ['shop'])],
    [issuerOne],
    [
      [named('*')],
      [
        allow({
          from: [{ source: { requestPrincipals: ['*'] } }],
          when: [{ key: 'request.auth.audiences', values: ['shop'] }],
        }),
      ],
    ],
    ['denied'],
  ],
  [
    'a key more',
    [issuerOne],
    [rule(one, 'both')],
    [staff],
    ['allowed'],
    { signedBy: 'the key b', claims: { iss: one } },
  ],
  ['another key', [issuerOne], [rule(one, 'b')], [staff], ['allowed', 'denied']],
  ['keys in two rules of one issuer', [rule(one, 'both')], [issuerOne, rule(one, 'b')], [staff], []],
  ['keys from elsewhere', [rule(one, 'fetched')], [rule(one, 'elsewhere')], [staff], ['allowed', 'denied']],
  ['any issuer of the keys', [rule(one, 'fetched')], [rule(undefined, 'fetched')], [named('*')], ['allowed']],
  [
    'any issuer, of whom policies name one',
    [rule(one, 'fetched')],
    [rule(undefined, 'fetched')],
    [allow(when('request.auth.claims[iss]', one))],
    [],
  ],
  [
    'any issuer, of whom one may be named like another with more',
    [rule(one, 'fetched')],
    [rule(undefined, 'fetched')],
    [named(`${one}/*`)],
    ['allowed'],
  ],
  [
    'any issuer, of whom policies name one by its claim',
    [rule(one, 'fetched')],
    [rule(undefined, 'fetched')],
    [allow(when('request.auth.claims[iss]', `${one}*`))],
    ['allowed'],
  ],
  [
    'another place',
    [issuerOne],
    [rule(one, 'a', 'header')],
    [staff],
    ['allowed', 'denied'],
    { place: 'header x-token' },
  ],
  [
    'another place, all let in',
    [rule(one, 'a', 'cookie')],
    [rule(one, 'a', 'parameter')],
    everybody,
    ['allowed', 'denied'],
  ],
  [
    'a place for another issuer',
    [issuerOne],
    [issuerOne, rule(two, 'b', 'cookie')],
    [staff],
    ['allowed'],
    { place: 'cookie session' },
  ],
  ['a rule that another covers', [issuerOne], [issuerOne, rule(one, 'a', 'standard', ['shop'])], [staff], []],
  [
    'a claim that is not to be there',
    [],
    [issuerOne],
    [allow(unless('request.auth.claims[groups]', 'staff'))],
    ['denied'],
    { claims: { groups: 'staff' } },
  ],
  ['all refused anyway', [], [issuerOne], [deny({})], []],
  [
    'nobody let in before, nor after',
    [issuerOne],
    [rule(two, 'b', 'header')],
    [authorization('ALLOW', [])],
    [],
  ],
];

const sides = (
  [first]: readonly unknown[],
  given: Case[3],
): readonly [readonly Policy[], readonly Policy[]] =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  (Array.isArray(first) ? given : [given, given]) as readonly [readonly Policy[], readonly Policy[]];

describe('where other tokens are taken', () => {
  for (const [name, before, after, policies, changes, witness] of cases) {
    test(name, () => {
      const [was, is] = sides(policies, policies);
      const found = compareHttp([...tokens(before), ...was], [...tokens(after), ...is]);
      expect(found).toMatchObject({ complete: true, undecided: [], changes });
      if (witness !== undefined)
        expect(found.differences).toContainEqual(
          expect.objectContaining({
            witness: expect.objectContaining({ token: expect.objectContaining(matching(witness)) }),
          }),
        );
      // All tokens that the pieces make: nothing is left out, and nothing told of that is not so.
      const rules = [...before, ...after].map(({ told }) => told);
      const [rulesBefore, rulesAfter] = [before, after].map((side) => side.map(({ told }) => told));
      const all = allTokens(
        [...new Set(rules.flatMap(({ places }) => places))],
        [...new Set(rules.flatMap(({ keys }) => keys))],
        [...new Set(rules.flatMap(({ issuer }) => issuer ?? []))],
        [...new Set(rules.flatMap(({ audiences = [] }) => audiences))],
      );
      for (const token of all) {
        const [first, second] = [
          verdictOf(rulesBefore ?? [], was, token),
          verdictOf(rulesAfter ?? [], is, token),
        ];
        const becomes = first === second ? undefined : second === 'allow' ? 'allowed' : 'denied';
        const told = found.differences.filter(({ region }) => isTokenIn(region, token));
        expect(
          told.map((each) => each.becomes),
          JSON.stringify(token),
        ).toEqual(becomes === undefined ? [] : [becomes]);
      }
      for (const each of found.differences) {
        const { token, request } = each.witness;
        expect(request.jwt).toBeUndefined();
        expect([
          verdictOf(rulesBefore ?? [], was, token, request),
          verdictOf(rulesAfter ?? [], is, token, request),
        ]).toEqual([each.before.verdict, each.after.verdict]);
      }
    });
  }
});

function matching(witness: object): object {
  return Object.fromEntries(
    Object.entries(witness).map(([name, value]) => [
      name,
      typeof value === 'object' ? expect.objectContaining(value) : value,
    ]),
  );
}

const words = { spaceDelimitedClaims: ['groups'] };
const outputs = { outputClaimToHeaders: [{ header: 'X-Subject', claim: 'sub' }] };
const wider: readonly Written[] = [rule(one, 'both')];
const beyond: readonly (readonly [
  name: string,
  before: readonly Policy[],
  after: readonly Policy[],
  policies: readonly Policy[],
  reason: RegExp,
])[] = [
  [
    'rules of one issuer in two places',
    tokens([issuerOne]),
    tokens([issuerOne, rule(one, 'b', 'header')]),
    [staff],
    /different places/,
  ],
  [
    'a rule of any issuer in another place',
    tokens([issuerOne]),
    tokens([issuerOne, rule(undefined, 'fetched', 'header')]),
    [staff],
    /different places/,
  ],
  [
    'a header with two prefixes',
    tokens([issuerOne]),
    tokens([issuerOne], { fromHeaders: [{ name: 'Authorization', prefix: 'JWT ' }] }),
    [staff],
    /may hold the other/,
  ],
  [
    'a header that is more than one',
    tokens([issuerOne]),
    tokens([issuerOne], { fromHeaders: [{ name: 'Host' }] }),
    [staff],
    /may hold the other/,
  ],
  [
    'policies that look at the header',
    tokens([issuerOne]),
    tokens(wider),
    [allow(when('request.headers[Authorization]', '*'))],
    /where tokens are/,
  ],
  [
    'policies that look at the query',
    tokens([issuerOne]),
    tokens(wider),
    [allow(when('request.headers[:path]', '/a'))],
    /where tokens are/,
  ],
  [
    'policies that look at cookies',
    tokens([rule(one, 'a', 'cookie')]),
    tokens([rule(one, 'b', 'cookie')]),
    [allow(when('request.headers[cookie]', '*'))],
    /where tokens are/,
  ],
  [
    'policies that look at what comes of tokens',
    tokens([issuerOne]),
    tokens([issuerOne], outputs),
    [allow(when('request.headers[x-subject]', 'sue'))],
    /made of tokens/,
  ],
  [
    'policies that look at what is left of tokens',
    tokens([issuerOne]),
    tokens(wider),
    [allow(when('experimental.envoy.filters.http.jwt_authn[payload]', 'x'))],
    /left of tokens/,
  ],
  ['claims that become words', tokens([issuerOne]), tokens([issuerOne], words), [staff], /read as words/],
  [
    'claims of another type',
    tokens([issuerOne]),
    tokens(wider),
    [allow(when('request.auth.claims[exp]', 'x'))],
    /one form alone/,
  ],
  [
    'claims within an issuer',
    tokens([issuerOne]),
    tokens(wider),
    [allow(when('request.auth.claims[iss][x]', 'x'))],
    /one form alone/,
  ],
  [
    'a key under another kid',
    tokens([issuerOne]),
    tokens([issuerOne], { jwks: keySet({ ...keyA, kid: 'other' }) }),
    [staff],
    /two kids/,
  ],
];

describe('it cannot be told, and is said, with', () => {
  for (const [name, before, after, policies, reason] of beyond) {
    test(name, () => {
      const { outcome, undecided } = compareHttp([...before, ...policies], [...after, ...policies]);
      expect({ outcome, undecided }).toMatchObject({
        outcome: 'undecided',
        undecided: [{ reason: expect.stringMatching(reason), protocol: 'http' }],
      });
    });
  }
});

describe('nothing changes, whatever is looked at, by', () => {
  const same: readonly (readonly [name: string, more: object])[] = [
    ['passing tokens on', { forwardOriginalToken: true }],
    ['headers for applications', outputs],
    ['time to fetch keys', { timeout: '1s' }],
    ['words that nobody looks at', { spaceDelimitedClaims: ['other'] }],
    ['a key for another use', { jwks: keySet({ ...keyA, use: 'sig' }) }],
  ];
  for (const [name, more] of same) {
    test(name, () => {
      const found = compareHttp([...tokens([issuerOne]), staff], [...tokens([issuerOne], more), staff]);
      expect(found).toMatchObject({ outcome: 'same', complete: true });
    });
  }
});

describe('what is said of a witness', () => {
  test('tells no shared key', () => {
    const secret = Buffer.alloc(32, 7).toString('base64url');
    const shared = tokens([issuerOne], { jwks: keySet({ kty: 'oct', k: secret, kid: 'shared' }) });
    const found = compareHttp([...tokens([issuerOne]), staff], [...shared, staff]);
    expect(found.changes).toEqual(['allowed', 'denied']);
    expect(JSON.stringify(found)).not.toContain(secret);
  });
  test('a caller who is refused before tokens are looked at is not told of', () => {
    const custom = authorization('CUSTOM', [{}], { provider: { name: 'nobody' } });
    expect(compareHttp([...tokens([issuerOne]), custom], [custom])).toMatchObject({ outcome: 'same' });
  });
});
