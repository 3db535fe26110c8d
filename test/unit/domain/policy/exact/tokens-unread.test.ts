import { describe, expect, test } from 'vitest';
import { compareWorlds, type Policy } from '../../../../../src/domain/policy/index.ts';
import { issuerOne, tokens } from './token-cases.ts';
import { allow, authorization, compareHttp, deny, from, to, unless, when, worldOf } from './worlds.ts';

const name = (policy: string) => `AuthorizationPolicy/shop/${policy}`;

/** Changes of what is asked of tokens alone. */
const changes: readonly (readonly [name: string, before: readonly Policy[], after: readonly Policy[]])[] = [
  ['a claim', [allow()], [allow(when('request.auth.claims[groups]', 'staff'))]],
  [
    'another claim',
    [allow(when('request.auth.claims[g]', 'a'))],
    [allow(when('request.auth.claims[g]', 'b'))],
  ],
  ['a principal', [allow()], [allow(from({ requestPrincipals: ['*'] }))]],
  ['a denial of those who have none', [deny({})], [deny(from({ notRequestPrincipals: ['*'] }))]],
  ['a denial by an audience', [], [deny(when('request.auth.audiences', 'a'))]],
  ['an allowance of those who have it not', [allow({})], [allow(unless('request.auth.presenter', 'a'))]],
];

describe('where no RequestAuthentication holds nobody has a token, and nothing changes by', () => {
  for (const [what, before, after] of changes) {
    test(what, () => {
      for (const [first, second] of [
        [before, after],
        [after, before],
      ] as const) {
        const found = compareHttp(first, second);
        expect(found).toMatchObject({ complete: true, differences: [], undecided: [] });
        const policies = [...before, ...after].map(({ meta }) => name(meta.name));
        expect(found.tokensUnread).toEqual([
          { places: [{ workload: 'test/shop/cart', port: 8080 }], policies: [...new Set(policies)] },
        ]);
      }
    });
    test(`something does, where one holds: ${what}`, () => {
      const found = compareHttp([...before, ...tokens([issuerOne])], [...after, ...tokens([issuerOne])]);
      expect(found).toMatchObject({ outcome: 'different', tokensUnread: [] });
    });
  }
});

test('what is asked beside tokens is compared all the same', () => {
  const found = compareHttp(
    [allow(when('request.auth.claims[g]', 'a'), to({ paths: ['/a'] }))],
    [allow(when('request.auth.claims[g]', 'b'), to({ paths: ['/b'] }))],
  );
  expect(found.changes).toEqual(['allowed', 'denied']);
  expect(
    found.differences.every(({ region }) =>
      region.constraints.every(({ attribute }) => attribute.kind === 'path'),
    ),
  ).toBe(true);
});

test('nothing is told of policies that have not changed, and of those that ask for no token', () => {
  const some = [allow(when('request.auth.claims[g]', 'a'))];
  expect(compareWorlds(worldOf(some), worldOf(some)).tokensUnread).toEqual([]);
  const other = [authorization('ALLOW', [to({ methods: ['GET'] })])];
  expect(compareWorlds(worldOf([]), worldOf(other)).tokensUnread).toEqual([]);
});
