import { describe, expect, test } from 'vitest';
import type { Policy } from '../../../../../src/domain/policy/index.ts';
import { isTokenIn, verdictOf } from './sent-tokens.ts';
import {
  issuerOne,
  keyOne,
  keySet,
  one,
  rule,
  sides,
  staff,
  tokenCases,
  tokens,
  type Written,
} from './token-cases.ts';
import { allow, authorization, compareHttp, when } from './worlds.ts';

describe('where other tokens are taken', () => {
  for (const each of tokenCases) {
    const [name, , , , changes, witness] = each;
    test(name, () => {
      const { before, after, all } = sides(each);
      const found = compareHttp(
        [...before.authentications, ...before.policies],
        [...after.authentications, ...after.policies],
      );
      expect(found).toMatchObject({ complete: true, undecided: [], changes });
      if (witness !== undefined) {
        const token = expect.objectContaining(matching(witness));
        const said = expect.objectContaining({ witness: expect.objectContaining({ token }) });
        expect(found.differences).toContainEqual(said);
      }
      // Nothing is left out, and nothing told of that is not so.
      for (const token of all) {
        const [was, is] = [before, after].map(({ rules, policies }) => verdictOf(rules, policies, token));
        const becomes = is === 'allow' ? 'allowed' : 'denied';
        const told = found.differences.filter(({ region }) => isTokenIn(region, token));
        expect(
          told.map((difference) => difference.becomes),
          JSON.stringify(token),
        ).toEqual(was === is ? [] : [becomes]);
      }
      for (const { witness: sent, ...said } of found.differences) {
        expect(sent.request.jwt).toBeUndefined();
        const verdicts = [before, after].map(({ rules, policies }) =>
          verdictOf(rules, policies, sent.token, sent.request),
        );
        expect(verdicts).toEqual([said.before.verdict, said.after.verdict]);
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
