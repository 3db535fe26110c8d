import { describe, expect, test } from 'vitest';
import type {
  Policy,
  PolicyRequest,
  Witness,
  WorldComparison,
} from '../../../../../src/domain/policy/index.ts';
import { Random } from '../../../../oracle/generate/index.ts';
import { isTokenIn, type SentToken, verdictOf } from './sent-tokens.ts';
import {
  issuerOne,
  keyOne,
  keySet,
  one,
  randomCarrierCase,
  rule,
  sides,
  staff,
  type TokenCase,
  tokenCases,
  tokens,
  type Written,
} from './token-cases.ts';
import { allow, authorization, compareHttp, when } from './worlds.ts';

/** Nothing is left out, and nothing told of that is not so; and each witness is one. */
function mustBeRight(each: TokenCase, { differences }: WorldComparison): void {
  const { before, after, all } = sides(each);
  for (const token of all) {
    const [was, is] = [before, after].map(({ rules, policies }) => verdictOf(rules, policies, token));
    const becomes = is === 'allow' ? 'allowed' : 'denied';
    const told = differences.filter(({ region }) => isTokenIn(region, token));
    expect(
      told.map((difference) => difference.becomes),
      JSON.stringify(token),
    ).toEqual(was === is ? [] : [becomes]);
  }
  for (const { witness: sent, ...said } of differences) {
    expect(sent.request.jwt).toBeUndefined();
    const verdicts = [before, after].map(({ rules, policies }) =>
      verdictOf(rules, policies, ...asSent(sent)),
    );
    expect(verdicts).toEqual([said.before.verdict, said.after.verdict]);
  }
}

function compareSides(each: TokenCase) {
  const { before, after } = sides(each);
  return compareHttp(
    [...before.authentications, ...before.policies],
    [...after.authentications, ...after.policies],
  );
}

describe('where other tokens are taken', () => {
  for (const each of tokenCases) {
    const [name, , , , changes, witness] = each;
    test(name, () => {
      const found = compareSides(each);
      expect(found).toMatchObject({ complete: true, undecided: [], changes });
      if (witness !== undefined) {
        const token = expect.objectContaining(matching(witness));
        const said = expect.objectContaining({ witness: expect.objectContaining({ token }) });
        expect(found.differences).toContainEqual(said);
      }
      mustBeRight(each, found);
    });
  }
});

test('random policies that look at a header for tokens, under random rules', () => {
  const outcomes = { same: 0, different: 0, undecided: 0 };
  for (let seed = 0; seed < 30; seed += 1) {
    const each = randomCarrierCase(new Random(seed));
    const found = compareSides(each);
    outcomes[found.outcome] += 1;
    mustBeRight(each, found);
  }
  expect(outcomes.undecided).toBe(0);
  expect(outcomes.same).toBeGreaterThan(2);
  expect(outcomes.different).toBeGreaterThan(10);
});

/** A header for tokens is that of the token. */
function asSent({ token, request }: Witness): readonly [SentToken | undefined, PolicyRequest] {
  const { http } = request;
  if (!http) return [token, request];
  const none = { place: 'header x-nobody', signedBy: undefined, claims: {} };
  return [
    { ...(token ?? none), headers: http.headers },
    { ...request, http: { ...http, headers: {} } },
  ];
}

function matching(witness: object): object {
  return Object.fromEntries(
    Object.entries(witness).map(([name, value]) => [
      name,
      typeof value === 'object' ? expect.objectContaining(value) : value,
    ]),
  );
}

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
    'policies that ask for an end of a token',
    tokens([issuerOne]),
    tokens(wider),
    [allow(when('request.headers[Authorization]', '*xyz'))],
    /text of tokens/,
  ],
  [
    'policies that ask for a beginning of a token',
    tokens([issuerOne]),
    tokens(wider),
    [allow(when('request.headers[Authorization]', 'Bearer eyJ*'))],
    /text of tokens/,
  ],
  [
    'policies that ask for one token',
    tokens([issuerOne]),
    tokens(wider),
    [allow(when('request.headers[Authorization]', 'Bearer a.b.c'))],
    /text of tokens/,
  ],
  [
    'policies that look at a header that one of two rules passes on',
    tokens([issuerOne, rule(one, 'b')]),
    [...tokens([issuerOne]), ...tokens([rule(one, 'b')], { forwardOriginalToken: true })],
    [allow(when('request.headers[Authorization]', '*'))],
    /pass on/,
  ],
  [
    'policies that look at the query',
    tokens([issuerOne]),
    tokens(wider),
    [allow(when('request.headers[:path]', '/a'))],
    /query or the cookies/,
  ],
  [
    'policies that look at cookies',
    tokens([rule(one, 'a', 'cookie')]),
    tokens([rule(one, 'b', 'cookie')]),
    [allow(when('request.headers[cookie]', '*'))],
    /query or the cookies/,
  ],
  ...['authorization', 'X-Forwarded-For'].map(
    (outputPayloadToHeader) =>
      [
        `a header for what comes of tokens, ${outputPayloadToHeader}`,
        tokens([issuerOne]),
        tokens([issuerOne], { outputPayloadToHeader }),
        [staff],
        /something else is read/,
      ] as const,
  ),
  [
    'policies that look at a header that is made of the whole of tokens',
    tokens([issuerOne]),
    tokens([issuerOne], { outputPayloadToHeader: 'X-Payload' }),
    [allow(when('request.headers[x-payload]', 'x'))],
    /made of tokens/,
  ],
  ...(
    [
      ['aud', 'sue'],
      ['email', '*'],
      ['email', 'eyJ*'],
      ['email', '7*'],
      ['email', '*a'],
      ['email', 'tr*'],
      ['user.email', 'sue@*'],
      ['scope', 'sue'],
    ] as const
  ).map(
    ([claim, pattern]) =>
      [
        `policies that ask for ${pattern} of a header that is made of ${claim}`,
        tokens([issuerOne]),
        tokens([issuerOne], { outputClaimToHeaders: [{ header: 'X-Claim', claim }] }),
        [allow(when('request.headers[x-claim]', pattern))],
        /made of tokens/,
      ] as const,
  ),
  [
    'policies that look at a header that one of two rules makes of tokens',
    tokens([issuerOne]),
    [...tokens([issuerOne]), ...tokens([rule(one, 'b')], outputs)],
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
  [
    'claims that are words to one rule of two',
    tokens([issuerOne]),
    tokens([issuerOne, rule(one, 'b', 'standard', undefined, ['groups'])]),
    [staff],
    /by others that hold beside them/,
  ],
  [
    'issuers as words',
    tokens([issuerOne]),
    tokens([issuerOne], { spaceDelimitedClaims: ['iss'] }),
    [staff],
    /by others that hold beside them/,
  ],
  [
    'a key under another kid',
    tokens([issuerOne]),
    tokens([issuerOne], { jwks: keySet({ ...keyOne, kid: 'other' }) }),
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
    ['a key for another use', { jwks: keySet({ ...keyOne, use: 'sig' }) }],
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
