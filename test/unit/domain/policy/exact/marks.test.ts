import { describe, expect, test } from 'vitest';
import {
  compareWorlds,
  decide,
  type MarkDifference,
  type Policy,
  regionText,
} from '../../../../../src/domain/policy/index.ts';
import { peer, policy } from '../mesh.ts';
import { issuerOne, one, rule, tokens } from './token-cases.ts';
import { allow, authorization, deny, from, type Rule, to, when, worldOf } from './worlds.ts';

const [web, cron] = ['example.org/ns/shop/sa/web', 'example.org/ns/shop/sa/cron'];
const audit = (...rules: readonly Rule[]) => authorization('AUDIT', rules);
const dry = (action: string, ...rules: readonly Rule[]) =>
  policy('shop/dry', { action, rules }, { annotations: { 'istio.io/dry-run': 'true' } });
const refused = authorization('CUSTOM', [{}], { provider: { name: 'nobody' } });
const gold = when('request.headers[x-a]', 'gold');
const dryCustom = (...rules: readonly Rule[]) =>
  policy(
    'shop/dry',
    { action: 'CUSTOM', provider: { name: 'asker' }, rules },
    { annotations: { 'istio.io/dry-run': 'true' } },
  );

type Told = readonly [mark: string, becomes: MarkDifference['becomes'], region: string];

/** Of the port for HTTP. */
const cases: readonly (readonly [
  name: string,
  before: readonly Policy[],
  after: readonly Policy[],
  told: readonly Told[],
])[] = [
  ['an AUDIT', [], [audit(gold)], [['AUDIT', 'marked', 'header x-a gold']]],
  ['an AUDIT less', [audit(gold)], [], [['AUDIT', 'unmarked', 'header x-a gold']]],
  [
    'an AUDIT of others',
    [audit(from({ principals: [web] }))],
    [audit(from({ principals: [cron] }))],
    [
      ['AUDIT', 'marked', `caller ${cron}`],
      ['AUDIT', 'unmarked', `caller ${web}`],
    ],
  ],
  ['an AUDIT that is written in another way', [audit(gold, {})], [audit({})], []],
  [
    'an AUDIT of what is denied, which it is before',
    [deny({})],
    [deny({}), audit(gold)],
    [['AUDIT', 'marked', 'header x-a gold']],
  ],
  ['an AUDIT where nothing gets so far', [refused], [refused, audit(gold)], []],
  [
    'an AUDIT where mutual TLS is asked for',
    [peer('shop/p', 'STRICT')],
    [peer('shop/p', 'STRICT'), audit(from({ notPrincipals: [web] }))],
    [['AUDIT', 'marked', `caller known by mutual TLS, but not ${web}`]],
  ],
  ['other decisions alone', [audit(gold)], [audit(gold), deny(from({ principals: [web] }))], []],
  ['an AUDIT that is tried', [], [dry('AUDIT', gold)], [['dry AUDIT', 'marked', 'header x-a gold']]],
  [
    'a DENY that is tried, beside one that holds',
    [deny(gold)],
    [deny(gold), dry('DENY', from({ principals: [web] }))],
    [['dry DENY', 'marked', `caller ${web}`]],
  ],
  ['a DENY that is tried', [], [dry('DENY', gold)], [['dry DENY', 'marked', 'header x-a gold']]],
  [
    'an ALLOW that is tried, behind a DENY',
    [deny(from({ principals: [web] }))],
    [deny(from({ principals: [web] })), dry('ALLOW', from({ principals: [web, cron] }))],
    [['dry ALLOW', 'marked', `caller ${cron}`]],
  ],
  ['an authorizer who is tried', [], [dryCustom(gold)], [['dry CUSTOM', 'marked', 'header x-a gold']]],
  [
    'an AUDIT of a claim, where other tokens are taken',
    tokens([issuerOne]),
    [...tokens([rule(one, 'both')]), audit(when('request.auth.claims[groups]', 'staff'))],
    [
      [
        'AUDIT',
        'marked',
        'token in header authorization after "Bearer "; or query parameter access_token, signed by the key a, token of issuer https://one.example, claim groups staff',
      ],
    ],
  ],
];

function marksOf(before: readonly Policy[], after: readonly Policy[]) {
  return compareWorlds(worldOf(before, { providers: ['asker'] }), worldOf(after, { providers: ['asker'] }));
}

describe('what AUDIT and dry runs match is told apart: by', () => {
  for (const [name, before, after, told] of cases) {
    test(name, () => {
      const { marks, differences } = marksOf(before, after);
      expect(marks.complete).toBe(true);
      const found = marks.differences.filter(({ protocol }) => protocol === 'http');
      const sorted = (some: readonly Told[]) => some.toSorted((a, b) => (a.join() < b.join() ? -1 : 1));
      expect(
        sorted(
          found.map(({ mark, becomes, region }): Told => {
            return [`${mark.dryRun ? 'dry ' : ''}${mark.action}`, becomes, regionText(region)];
          }),
        ),
      ).toEqual(sorted(told));
      for (const { becomes, by, witness } of found) {
        if (witness.token) continue;
        const isNamed = [before, after].map((policies) => {
          const { audit: rules, dryRun } = decide(policies, witness.request, {
            trustDomain: 'example.org',
            trustDomainAliases: [],
            tcp: false,
            customVerdicts: new Map([['asker', 'allow']]),
          });
          return [...rules, ...dryRun.map((each) => each.by)].some(
            (each) => each !== undefined && each.name === by.name && each.rule === by.rule,
          );
        });
        expect(isNamed).toEqual(becomes === 'marked' ? [false, true] : [true, false]);
      }
      if (name.startsWith('other decisions')) expect(differences).not.toEqual([]);
    });
  }

  test('and is no change of what is decided', () => {
    const found = marksOf([], [audit(gold), dry('DENY', {})]);
    expect(found).toMatchObject({ outcome: 'same', differences: [], complete: true });
    expect(found.marks.differences.map(({ protocol }) => protocol)).toContain('tcp');
  });

  test('and that not all was looked at', () => {
    const worlds = [worldOf([]), worldOf([audit(to({ paths: ['/a/{*}/b', '*c'] }))])] as const;
    const found = compareWorlds(...worlds, { steps: 1, stepsOfGroup: 1 });
    expect(found.marks.complete).toBe(false);
  });
});

test('paths that AUDIT compares are refused where they are ambiguous, which is a decision', () => {
  const found = marksOf([], [audit(to({ paths: ['/a'] })), allow({})]);
  expect(found.differences).toMatchObject([{ becomes: 'denied', after: { step: 'PATH' } }]);
});
