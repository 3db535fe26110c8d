import { expect, test } from 'vitest';
import {
  type Policy,
  type RuleAnswer,
  type RuleOf,
  RuleQuestions,
} from '../../../../../src/domain/policy/index.ts';
import { allow, deny, from, type Rule, to, unless, when, worldOf } from './worlds.ts';

const questions = () => new RuleQuestions(worldOf([], { aliases: ['old.example'] }));

function ruleOf(policy: Policy, rule = 0): RuleOf {
  if (policy.kind !== 'AuthorizationPolicy') throw new Error('no AuthorizationPolicy');
  return { policy, rule };
}

const possible: readonly (readonly [name: string, rule: Rule, answer: RuleAnswer['answer']])[] = [
  ['anything', {}, 'yes'],
  ['a port', to({ ports: ['8443'] }), 'yes'],
  ['two ports at once', { ...to({ ports: ['1'] }), ...when('destination.port', '2') }, 'no'],
  ['a value and its own exception', to({ methods: ['GET'], notMethods: ['G*'] }), 'no'],
  ['a path that is never canonical', to({ paths: ['/a/../b', '/%41'] }), 'no'],
  ['a caller of two namespaces', { ...from({ namespaces: ['a'] }), ...when('source.namespace', 'b') }, 'no'],
  ['a caller of no namespace', { ...from({ principals: ['*'] }), ...unless('source.namespace', '*') }, 'yes'],
  [
    'a claim and one within it',
    {
      when: [
        { key: 'request.auth.claims[a]', values: ['*'] },
        { key: 'request.auth.claims[a][b]', values: ['*'] },
      ],
    },
    'no',
  ],
];

for (const [name, rule, answer] of possible) {
  test(`whether a rule can match: ${name}`, () => {
    const found = questions().canMatch(ruleOf(allow(rule)), 'http');
    expect(found.answer).toBe(answer);
    if (name === 'a port') expect(found).toMatchObject({ witness: { request: { destinationPort: 8443 } } });
  });
}

test('a rule is covered by others together, of which none covers it alone', () => {
  const narrow = ruleOf(allow(from({ ipBlocks: ['10.0.0.0/8'] })));
  const halves = allow(from({ ipBlocks: ['10.0.0.0/9'] }), from({ ipBlocks: ['10.128.0.0/9'] }));
  const [first, second] = [ruleOf(halves, 0), ruleOf(halves, 1)];
  expect(questions().matchesBeside(narrow, [first, second], 'http')).toEqual({ answer: 'no' });
  expect(questions().matchesBeside(narrow, [first], 'http')).toMatchObject({
    answer: 'yes',
    witness: { request: { sourceIp: '10.128.0.0' } },
  });
});

test('of bytes an ALLOW that asks for HTTP matches nothing, and a DENY all', () => {
  const rule = to({ methods: ['GET'] });
  expect(questions().canMatch(ruleOf(allow(rule)), 'tcp')).toEqual({ answer: 'no' });
  expect(questions().canMatch(ruleOf(deny(rule)), 'tcp')).toMatchObject({ answer: 'yes' });
});
