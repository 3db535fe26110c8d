import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect } from 'vitest';
import type { Policy } from '../../../../../src/domain/policy/index.ts';
import type { Random } from '../../../../oracle/generate/index.ts';
import { policy } from '../mesh.ts';
import { allTokens, type Rule, type SentToken } from './sent-tokens.ts';
import { allow, authorization, deny, from, to, unless, when } from './worlds.ts';

interface Key {
  readonly jwk: object;
  readonly privateKey: KeyObject;
}

function newKey(kid: string): Key {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { jwk: { ...publicKey.export({ format: 'jwk' }), kid }, privateKey };
}

const [keyA, keyB] = [newKey('a'), newKey('b')];
const [fetched, elsewhere] = [newKey('fetched'), newKey('elsewhere')];
export const keyOne = keyA.jwk;
export const keySet = (...keys: readonly object[]) => JSON.stringify({ keys });
export const one = 'https://one.example';
const two = 'https://two.example';

/** As it is written, beside what a table says of it. */
export interface Written {
  readonly spec: object;
  readonly told: Rule;
}

const keySources = {
  a: { spec: { jwks: keySet(keyA.jwk) }, keys: ['the key a'] },
  b: { spec: { jwks: keySet(keyB.jwk) }, keys: ['the key b'] },
  both: { spec: { jwks: keySet(keyB.jwk, keyA.jwk) }, keys: ['the key a', 'the key b'] },
  fetched: { spec: { jwksUri: `${one}/keys` }, keys: [`the keys of ${one}/keys`] },
  elsewhere: { spec: { jwksUri: `${two}/keys` }, keys: [`the keys of ${two}/keys`] },
};
/** What is behind the addresses, and who has the private parts. */
export const keySetAt: Readonly<Record<string, string>> = {
  [`${one}/keys`]: keySet(fetched.jwk),
  [`${two}/keys`]: keySet(elsewhere.jwk),
};
export const privateKeys: Readonly<Record<string, KeyObject>> = {
  'the key a': keyA.privateKey,
  'the key b': keyB.privateKey,
  [`the keys of ${one}/keys`]: fetched.privateKey,
  [`the keys of ${two}/keys`]: elsewhere.privateKey,
};

const sources = {
  standard: { spec: {}, places: ['header authorization after "Bearer "', 'query parameter access_token'] },
  header: { spec: { fromHeaders: [{ name: 'X-Token' }] }, places: ['header x-token'] },
  cookie: { spec: { fromCookies: ['session'] }, places: ['cookie session'] },
  parameter: { spec: { fromParams: ['t'] }, places: ['query parameter t'] },
};

export function rule(
  issuer: string | undefined,
  keys: keyof typeof keySources,
  place: keyof typeof sources = 'standard',
  audiences?: readonly string[],
  words?: readonly string[],
): Written {
  const some = { ...(issuer === undefined ? {} : { issuer }), ...(audiences && { audiences }) };
  const { spec, keys: names } = keySources[keys];
  const { spec: where, places } = sources[place];
  return {
    spec: { ...some, ...spec, ...where, ...(words && { spaceDelimitedClaims: words }) },
    told: { ...some, keys: names, places, ...(words && { words }) },
  };
}

export function tokens(rules: readonly Written[], more: object = {}): readonly Policy[] {
  return rules.map(({ spec }, at) =>
    policy(`shop/tokens-${at}`, { jwtRules: [{ ...spec, ...more }] }, { kind: 'RequestAuthentication' }),
  );
}

const staffRules = [when('request.auth.claims[groups]', 'staff')];
export const staff = allow(...staffRules);
const named = (...patterns: string[]) => allow(from({ requestPrincipals: patterns }));
const everybody: readonly Policy[] = [];

const readingHeader = (...patterns: string[]) => allow(when('request.headers[authorization]', ...patterns));
const passedOn: Written = {
  spec: { ...issuerSpec().spec, forwardOriginalToken: true },
  told: { ...issuerSpec().told, forward: true },
};

/** With headers that are made of claims. */
function making(
  outputs: Readonly<Record<string, string>>,
  { spec, told }: Written = rule(one, 'a'),
): Written {
  const outputClaimToHeaders = Object.entries(outputs).map(([header, claim]) => ({ header, claim }));
  return { spec: { ...spec, outputClaimToHeaders }, told: { ...told, outputs } };
}
const bySubject = making({ 'x-subject': 'sub' });
const byGroup = making({ 'x-group': 'groups' });
const subject = (...patterns: string[]) => allow(when('request.headers[x-subject]', ...patterns));
const group = (...patterns: string[]) => allow(when('request.headers[x-group]', ...patterns));

function issuerSpec(): Written {
  return rule(one, 'a');
}

export type TokenCase = readonly [
  name: string,
  before: readonly Written[],
  after: readonly Written[],
  policies: readonly Policy[] | readonly [before: readonly Policy[], after: readonly Policy[]],
  /** Empty: nothing changes. */
  changes: readonly ('allowed' | 'denied')[],
  /** Of one of the witnesses. */
  token?: object,
];

export const issuerOne = rule(one, 'a');
const ofWords = rule(one, 'a', 'standard', undefined, ['groups']);
export const tokenCases: readonly TokenCase[] = [
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
  [
    'rules of one issuer in two places',
    [issuerOne],
    [issuerOne, rule(one, 'b', 'header')],
    [staff],
    ['allowed'],
    { place: 'header x-token', signedBy: 'the key b' },
  ],
  [
    'rules of one issuer in two places, that change them',
    [issuerOne, rule(one, 'b', 'header')],
    [rule(one, 'b'), rule(one, 'a', 'header')],
    [staff],
    ['allowed', 'denied'],
  ],
  [
    'a rule of any issuer in another place than one of one issuer',
    [issuerOne, rule(undefined, 'elsewhere', 'header')],
    [issuerOne, rule(undefined, 'fetched', 'header')],
    [staff],
    ['allowed', 'denied'],
    { place: 'header x-token' },
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
  [
    'an issuer that would have to be two, or a list, which proxies refuse',
    [],
    [rule(undefined, 'fetched')],
    [
      allow({
        when: ['x', 'y'].map((value) => ({ key: 'request.auth.claims[iss]', values: [value] })),
      }),
    ],
    [],
  ],
  [
    'groups that become words',
    [issuerOne],
    [ofWords],
    [staff],
    ['allowed'],
    { claims: { groups: expect.stringMatching(/staff | staff/) } },
  ],
  [
    'groups that are no longer words, and a denial by one',
    [ofWords],
    [issuerOne],
    [deny(when('request.auth.claims[groups]', 'staff'))],
    ['allowed'],
  ],
  [
    'groups that become words, a first of which is asked for',
    [issuerOne],
    [ofWords],
    [allow(when('request.auth.claims[groups]', 'staff*'))],
    ['allowed'],
  ],
  [
    'groups that become words, a last of which is asked for, and none else',
    [issuerOne],
    [ofWords],
    [
      allow({
        when: [
          { key: 'request.auth.claims[groups]', values: ['*ff'], notValues: ['guests', 'clerks staff'] },
        ],
      }),
    ],
    ['allowed', 'denied'],
  ],
  [
    'groups that become words, of which there is one at all',
    [issuerOne],
    [ofWords],
    [allow(when('request.auth.claims[groups]', '*'))],
    [],
  ],
  [
    'groups that become words, which is asked as one text too',
    [issuerOne],
    [ofWords],
    [allow(when('request.auth.claims[groups]', 'clerks staff'))],
    ['denied'],
  ],
  [
    'groups that become words, of blanks alone',
    [issuerOne],
    [ofWords],
    [allow(when('request.auth.claims[groups]', '  '))],
    [],
  ],
  [
    'a key more, and words as before',
    [ofWords],
    [rule(one, 'both', 'standard', undefined, ['groups'])],
    [staff],
    ['allowed'],
    { signedBy: 'the key b' },
  ],
  [
    'a key more, where a time is asked for as a text, which it never is',
    [issuerOne],
    [rule(one, 'both')],
    [allow(when('request.auth.claims[exp]', '*'))],
    [],
  ],
  [
    'a key more, where something within an issuer is asked for',
    [issuerOne],
    [rule(one, 'both')],
    [allow(when('request.auth.claims[iss][x]', '*'))],
    [],
  ],
  [
    'a key more, where two identifiers of a token are asked for',
    [issuerOne],
    [rule(one, 'both')],
    [allow({ when: ['a', 'b'].map((id) => ({ key: 'request.auth.claims[jti]', values: [id] })) })],
    [],
  ],
  ['all refused anyway', [], [issuerOne], [deny({})], []],
  [
    'a first rule, where a header is asked for that its tokens come in',
    [],
    [issuerOne],
    [readingHeader('*')],
    ['denied'],
    { place: 'header authorization after "Bearer "' },
  ],
  [
    'a first rule, where that header must not be there',
    [],
    [issuerOne],
    [allow(unless('request.headers[authorization]', '*'))],
    ['allowed', 'denied'],
    { signedBy: 'the key a' },
  ],
  [
    'a first rule, where what stands before a token is asked for',
    [],
    [issuerOne],
    [readingHeader('Bearer *')],
    ['denied'],
  ],
  ['a first rule, where passwords are asked for', [], [issuerOne], [readingHeader('Basic *')], ['denied']],
  [
    'a first rule, where one password is asked for',
    [],
    [issuerOne],
    [readingHeader('Basic abc')],
    ['denied'],
  ],
  [
    'a first rule, where a bad token is asked for',
    [],
    [issuerOne],
    [readingHeader('Bearer abc')],
    ['denied'],
    { signedBy: undefined },
  ],
  [
    'a first rule, where a header or a claim is asked for',
    [],
    [issuerOne],
    [readingHeader('Bearer *', 'Basic abc'), authorization('ALLOW', staffRules, { name: 'staff' })],
    ['allowed', 'denied'],
  ],
  ['a header made of subjects', [issuerOne], [bySubject], [subject('sue')], ['allowed', 'denied']],
  ['a header made of subjects, of any', [issuerOne], [bySubject], [subject('*')], ['allowed', 'denied']],
  [
    'a header made of subjects, in a denial',
    [issuerOne],
    [bySubject],
    [deny(when('request.headers[x-subject]', 's*'))],
    ['allowed', 'denied'],
  ],
  [
    'a header made of subjects, beside an issuer more',
    [bySubject],
    [bySubject, making({ 'x-subject': 'sub' }, rule(two, 'b'))],
    [subject('*ue')],
    ['allowed'],
    { signedBy: 'the key b' },
  ],
  ['a header made of groups', [issuerOne], [byGroup], [group('guests', 'staff')], ['allowed', 'denied']],
  ['a header made of groups, and the claim', [issuerOne], [byGroup], [[staff], [group('staff')]], ['denied']],
  [
    'a header made of groups, or the claim',
    [byGroup],
    [byGroup],
    [[staff], [staff, authorization('ALLOW', [when('request.headers[x-group]', 'staff')], { name: 'more' })]],
    [],
  ],
  [
    'a header made of groups, before an authorizer',
    [issuerOne],
    [byGroup],
    [authorization('CUSTOM', [when('request.headers[x-group]', 'guests')], { provider: { name: 'nobody' } })],
    [],
  ],
  [
    'a header made of another claim',
    [making({ 'x-subject': 'groups' })],
    [bySubject],
    [subject('sue', 'guests')],
    ['allowed', 'denied'],
  ],
  [
    'a rule that passes tokens on',
    [issuerOne],
    [passedOn],
    [readingHeader('*')],
    ['allowed'],
    { signedBy: 'the key a' },
  ],
  [
    'a rule that passes tokens on, whom nobody asks',
    [issuerOne],
    [passedOn],
    [readingHeader('Basic abc')],
    [],
  ],
  [
    'a rule that no longer passes tokens on, and a denial of those that come with one',
    [passedOn],
    [issuerOne],
    [deny(when('request.headers[authorization]', 'Bearer *'))],
    ['allowed'],
  ],
  [
    'another key, where the header is asked for too',
    [passedOn],
    [
      {
        spec: { ...passedOn.spec, ...rule(one, 'b').spec, forwardOriginalToken: true },
        told: { ...rule(one, 'b').told, forward: true },
      },
    ],
    [readingHeader('Bearer *')],
    ['allowed', 'denied'],
  ],
  [
    'another place, where the one before is asked for',
    [issuerOne],
    [rule(one, 'a', 'cookie')],
    [readingHeader('*')],
    ['allowed', 'denied'],
  ],
  [
    'a header by itself, which is asked for',
    [issuerOne],
    [rule(one, 'a', 'header')],
    [allow(when('request.headers[x-token]', '*', 'none'))],
    ['denied'],
  ],
  [
    'an authorizer, who is asked before a token is taken away',
    [],
    [issuerOne],
    [
      authorization('CUSTOM', [when('request.headers[authorization]', 'Bearer *')], {
        provider: { name: 'nobody' },
      }),
    ],
    ['denied'],
  ],
  [
    'policies alone that ask for what no token leaves there',
    [issuerOne],
    [issuerOne],
    [[readingHeader('Basic abc', 'Bearer *')], [readingHeader('Basic abc')]],
    [],
  ],
  [
    'policies alone that ask for what another rule leaves there',
    [passedOn],
    [passedOn],
    [[readingHeader('Basic abc', 'Bearer *')], [readingHeader('Basic abc')]],
    ['denied'],
    { signedBy: 'the key a' },
  ],
  [
    'nobody let in before, nor after',
    [issuerOne],
    [rule(two, 'b', 'header')],
    [authorization('ALLOW', [])],
    [],
  ],
];

const carrierPatterns = ['*', 'Bearer *', 'Basic *', 'Basic abc', 'Bearer abc', 'b*', 'Bea*', 'none'];

/** Rules that pass tokens on or not, and policies that ask for their header, for claims, and for a header made of one. */
export function randomCarrierCase(random: Random): TokenCase {
  const ofCookie = [rule(one, 'a', 'cookie')];
  const ruleSets: readonly (readonly Written[])[] = [
    [],
    [issuerOne],
    [passedOn],
    ofCookie,
    [issuerOne, rule(two, 'b')],
    [rule(two, 'b', 'cookie'), issuerOne],
    [byGroup],
    [making({ 'x-group': 'groups' }, passedOn)],
    [making({ 'x-group': 'sub' })],
  ];
  const carried = ['authorization', carrierPatterns] as const;
  const made = ['x-group', ['staff', 'guests', 'g*', 'sue', 's*']] as const;
  const condition = (ofClaims: number, isFirst = false) => {
    const how = random.int(3);
    if (random.chance(ofClaims))
      return { key: 'request.auth.claims[groups]', [random.pick(['values', 'notValues'])]: ['staff'] };
    const [name, patterns] = isFirst || random.chance(0.5) ? carried : made;
    const draw = () => random.list(1, 2, () => random.pick(patterns));
    return {
      key: `request.headers[${name}]`,
      ...(how < 2 && { values: draw() }),
      ...(how > 0 && { notValues: draw() }),
    };
  };
  const some = () =>
    random
      .list(1, 2, () => 0)
      .map((_, at) => {
        const action = random.pick(['ALLOW', 'ALLOW', 'DENY', 'CUSTOM']);
        // No claim is known to an authorizer.
        const ofClaims = action === 'CUSTOM' ? 0 : 0.3;
        const rules = random.list(1, 2, () => ({
          when: [
            condition(at === 0 ? 0 : ofClaims, at === 0),
            ...random.list(0, 1, () => condition(ofClaims)),
          ],
        }));
        const provider = action === 'CUSTOM' ? { provider: { name: 'nobody' } } : {};
        return authorization(action, rules, { name: `p${at}`, ...provider });
      });
  const policies = some();
  if (random.chance(0.5)) return ['random', random.pick(ruleSets), random.pick(ruleSets), policies, []];
  // Under the same rules of other places claims are taken to be free.
  const rules = random.pick(ruleSets.filter((each) => each !== ofCookie));
  return ['random', rules, rules, [policies, some()], []];
}

const sidesOf = (
  [first]: readonly unknown[],
  given: TokenCase[3],
): readonly [readonly Policy[], readonly Policy[]] =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  (Array.isArray(first) ? given : [given, given]) as readonly [readonly Policy[], readonly Policy[]];

export interface TokenSide {
  readonly rules: readonly Rule[];
  readonly authentications: readonly Policy[];
  readonly policies: readonly Policy[];
}

/** Both sides of a case, and all tokens that its pieces make. */
export function sides([, before, after, given]: TokenCase): {
  readonly before: TokenSide;
  readonly after: TokenSide;
  readonly all: readonly (SentToken | undefined)[];
} {
  const [was, is] = sidesOf(given, given);
  const rules = [...before, ...after].map(({ told }) => told);
  const side = (written: readonly Written[], policies: readonly Policy[]): TokenSide => ({
    rules: written.map(({ told }) => told),
    authentications: tokens(written),
    policies,
  });
  return {
    before: side(before, was),
    after: side(after, is),
    all: withHeaders(
      was,
      is,
      rules.flatMap(({ keys }) => keys),
      allTokens(
        [...new Set(rules.flatMap(({ places }) => places))],
        [...new Set(rules.flatMap(({ keys }) => keys))],
        [...new Set(rules.flatMap(({ issuer }) => issuer ?? []))],
        [...new Set(rules.flatMap(({ audiences = [] }) => audiences))],
        rules.some(({ words }) => words)
          ? [
              'staff',
              'guests staff',
              'staffers  x',
              ['clerks staff'],
              'clerks staff',
              ['guests', 'staff'],
              '  ',
              '',
            ]
          : undefined,
      ),
    ),
  };
}

/** Where policies look at headers for tokens: what else can be in these, with a token elsewhere, or none, or a bad one. */
function withHeaders(
  was: readonly Policy[],
  is: readonly Policy[],
  keys: readonly string[],
  all: readonly (SentToken | undefined)[],
): readonly (SentToken | undefined)[] {
  const text = JSON.stringify([...was, ...is]);
  const bearer = 'header authorization after "Bearer "';
  const values: readonly string[] = ['Basic abc', 'Basic abcd', 'Bearer', 'bearer <token>', '', 'none'];
  const odd: SentToken[] = [];
  const nowhere = { place: 'header x-nobody', signedBy: keys[0], claims: { iss: one } };
  for (const name of ['x-subject', 'x-group'])
    if (text.includes(`request.headers[${name}]`))
      for (const value of ['sue', 'guests', 'staff', 'x'])
        for (const token of [nowhere, ...all.slice(0, 300)])
          if (token) odd.push({ ...token, headers: { [name]: value } });
  for (const name of ['authorization', 'x-token']) {
    if (!text.includes(`request.headers[${name}]`)) continue;
    const inOther = all.filter((token) => token && !token.place.startsWith(`header ${name}`)).slice(0, 200);
    if (name === 'authorization')
      for (const value of values)
        for (const token of [nowhere, ...inOther])
          if (token) odd.push({ ...token, headers: { [name]: value } });
    const bad = name === 'authorization' ? ['Bearer abc', 'xBearer a.b.c', 'Bearer abc d'] : ['none', 'abc'];
    const place = name === 'authorization' ? bearer : 'header x-token';
    for (const value of bad) odd.push({ place, signedBy: undefined, claims: {}, headers: { [name]: value } });
  }
  if (text.includes('request.headers[authorization]'))
    for (const signedBy of [...keys, undefined])
      for (const groups of [['staff'], ['guests']])
        for (const value of ['xx Bearer <token>', 'Basic abc, Bearer <token>', 'Bearer  ;<token>'])
          odd.push({
            place: bearer,
            signedBy,
            claims: { iss: one, groups },
            headers: { authorization: value },
          });
  return [...all, ...odd];
}
