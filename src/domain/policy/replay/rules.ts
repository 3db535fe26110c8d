import { compareText } from '../../../kernel/index.ts';
import {
  type Facts,
  type Field,
  fieldsOf,
  isUsed,
  type RuleReference,
  ruleId,
  ruleReference,
} from '../decide/index.ts';
import type { AuthorizationPolicy, AuthorizationRule } from '../model.ts';
import type { RecordedFacts } from './facts.ts';
import { every, not, some, type Trilean, unknown } from './kleene.ts';

/** Whether any rule of the policies matches; where one surely does, the first of those by its identifier. */
export interface RulesMatch {
  readonly matches: Trilean;
  readonly by: RuleReference | undefined;
}

export function matchRules(policies: readonly AuthorizationPolicy[], facts: RecordedFacts): RulesMatch {
  const rules = policies.flatMap((policy) =>
    policy.rules.map((rule, index) => ({
      reference: ruleReference(policy.meta, index),
      matches: matchRule(rule, policy, facts),
    })),
  );
  const [by] = rules
    .filter(({ matches }) => matches === true)
    .map(({ reference }) => reference)
    .toSorted((a, b) => compareText(ruleId(a), ruleId(b)));
  return { matches: some(rules.map(({ matches }) => matches)), by };
}

/** As `decide` does it, by three values. */
function matchRule(rule: AuthorizationRule, policy: AuthorizationPolicy, facts: RecordedFacts): Trilean {
  const { from, to, when } = fieldsOf(rule, policy);
  const { tcp } = facts;
  const needsHttp = [...from.flat(), ...to.flat(), ...when].some((field) => field.httpOnly && isUsed(field));
  if (tcp && needsHttp && policy.action === 'ALLOW') return false;
  const all = (fields: readonly Field[]) =>
    every(fields.map((field) => (tcp && field.httpOnly ? true : matchField(field, facts))));
  const any = (alternatives: readonly (readonly Field[])[]) =>
    alternatives.length === 0 ? true : some(alternatives.map(all));
  return every([any(from), any(to), all(when)]);
}

function matchField(field: Field, facts: RecordedFacts): Trilean {
  if (!isUsed(field)) return true;
  const lack = facts.lacking(field.subject);
  if (lack !== undefined) return unknown(lack);
  const wanted = field.values.length === 0 ? true : anyOf(field, field.values, facts);
  return every([wanted, not(anyOf(field, field.notValues, facts))]);
}

/** The calls of a record came from several addresses: where these differ in it, nothing is known of the calls. */
function anyOf({ matches, subject }: Field, values: readonly string[], facts: RecordedFacts): Trilean {
  const of = (each: Facts) => values.some((value) => matches(value, each));
  const results = new Set(facts.alternatives.map(of));
  return results.size === 1 ? results.has(true) : unknown(subject.kind);
}
