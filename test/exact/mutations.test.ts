import { expect, test } from 'vitest';
import { lintPolicies } from '../../src/domain/policy/index.ts';
import { Random } from '../oracle/generate/index.ts';
import { checkPair, everyRequest } from './check.ts';
import { ofEffects } from './lint-told.ts';
import { mutantsOf, shop } from './mutants.ts';
import { told } from './told.ts';
import { smallWorld } from './worlds.ts';

/**
 * What may be left out, or be written otherwise: another ALLOW holds wherever the one without rules does. On port 9000, which
 * is not HTTP, the DENY loses its path and takes all but one caller, who is of another namespace than that rule asks for.
 */
const equivalent: readonly string[] = [
  'AuthorizationPolicy shop/nobody removed',
  'AuthorizationPolicy shop/nobody: a dry run',
  'AuthorizationPolicy shop/web-reads: rule 1 removed',
  'AuthorizationPolicy shop/web-reads: rule 1.from[0].notPrincipals[0] removed',
  'AuthorizationPolicy shop/web-reads: rule 1.from[0].notPrincipals[0] as */sa/guest*',
  'AuthorizationPolicy shop/web-reads: rule 1.from[0].namespaces[0] as bank*',
  'AuthorizationPolicy shop/web-reads: rule 1.to[0].ports[0] as 909',
];

test('each mutant of a shop’s policies that decides otherwise yields a witness, and no other does', () => {
  const before = smallWorld(shop);
  const mutants = mutantsOf(shop);
  const same: string[] = [];
  for (const { name, policies } of mutants) {
    const after = smallWorld(policies);
    const by = (most: number) => checkPair(before, after, everyRequest(new Random(5), most, before));
    const few = by(60);
    // That it is a change the witness has shown, once it is decided; that it is none, only many requests can deny.
    const { comparison, faults } = few.comparison.outcome === 'same' ? by(3000) : few;
    expect({ name, faults, told: faults.length > 0 ? told(after) : '' }).toEqual({
      name,
      faults: [],
      told: '',
    });
    expect({ name, isUndecided: comparison.outcome === 'undecided' }).toEqual({ name, isUndecided: false });
    if (comparison.outcome === 'same') same.push(name);
  }
  expect(mutants.length).toBeGreaterThan(60);
  expect(same).toEqual(equivalent);
});

test('of the mutants that leave something out lint tells those that change nothing, but for the door that stays closed', () => {
  const found = lintPolicies(shop, smallWorld(shop)).filter(({ rule }) => ofEffects.includes(rule));
  expect(found.map(({ rule, object, path }) => `${rule} ${object.name} ${path}`)).toEqual([
    'allow-shadowed-by-deny web-reads spec.rules[1]',
  ]);
});
