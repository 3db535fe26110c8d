import { compareText, once } from '../../../kernel/index.ts';
import {
  type Facts,
  type Field,
  fieldsOf,
  isUsed,
  type RuleFields,
  type RuleReference,
  ruleId,
  ruleReference,
} from '../decide/index.ts';
import type { AuthorizationPolicy } from '../model.ts';
import type { RecordedFacts } from './facts.ts';
import { every, isUnknown, not, some, type Trilean, unknown } from './kleene.ts';

/** Whether any rule of the policies matches; where one surely does, the first of those by its identifier. */
export interface RulesMatch {
  readonly matches: Trilean;
  readonly by: RuleReference | undefined;
}

export function matchRules(policies: readonly AuthorizationPolicy[], facts: RecordedFacts): RulesMatch {
  const unsure: Trilean[] = [];
  let first: CompiledRule | undefined;
  for (const rule of policies.flatMap((policy) => compiled(policy))) {
    const matches = matchRule(rule, facts);
    if (matches === true && (first === undefined || compareText(rule.id, first.id) < 0)) first = rule;
    else if (isUnknown(matches)) unsure.push(matches);
  }
  return first ? { matches: true, by: first.reference } : { matches: some(unsure), by: undefined };
}

interface CompiledRule {
  readonly id: string;
  readonly reference: RuleReference;
  readonly fields: RuleFields;
  /** For ports of bytes: there no rule that needs HTTP lets anybody in. */
  readonly isDead: boolean;
}

/** Once for all records. */
const compiled = once((policy: AuthorizationPolicy): readonly CompiledRule[] =>
  policy.rules.map((rule, index) => {
    const reference = ruleReference(policy.meta, index);
    const all = fieldsOf(rule, policy);
    const used = (fields: readonly Field[]) => fields.filter((field) => isUsed(field));
    const fields = { from: all.from.map(used), to: all.to.map(used), when: used(all.when) };
    const needsHttp = [...fields.from.flat(), ...fields.to.flat(), ...fields.when].some(
      ({ httpOnly }) => httpOnly,
    );
    return { id: ruleId(reference), reference, fields, isDead: policy.action === 'ALLOW' && needsHttp };
  }),
);

/** As `decide` does it, by three values; what fails first ends it. */
function matchRule({ fields, isDead }: CompiledRule, facts: RecordedFacts): Trilean {
  const { tcp } = facts;
  if (tcp && isDead) return false;
  const parts: Trilean[] = [];
  const all = (fieldList: readonly Field[]) =>
    everyField(tcp ? fieldList.filter(({ httpOnly }) => !httpOnly) : fieldList, facts);
  const any = (alternatives: readonly (readonly Field[])[]) =>
    alternatives.length === 0 ? true : some(alternatives.map(all));
  for (const part of [() => any(fields.from), () => any(fields.to), () => all(fields.when)]) {
    const matches = part();
    if (matches === false) return false;
    parts.push(matches);
  }
  return every(parts);
}

function everyField(fields: readonly Field[], facts: RecordedFacts): Trilean {
  const results: Trilean[] = [];
  for (const field of fields) {
    const matches = matchField(field, facts);
    if (matches === false) return false;
    results.push(matches);
  }
  return every(results);
}

function matchField(field: Field, facts: RecordedFacts): Trilean {
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
