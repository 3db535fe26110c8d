import { formatPath, type YamlPath } from '../../../yaml/index.ts';
import { type Facts, type Field, fieldsOf, isUsed } from '../decide/index.ts';
import type { AuthorizationPolicy, AuthorizationRule, Policy } from '../model.ts';
import type { PolicyLocator } from '../read/index.ts';
import { attributesOf, type RequestAttribute, valuesOf } from './attributes.ts';
import type { FieldFinding, Outcome, PolicyReference, RuleFinding } from './model.ts';
import { closeness } from './near.ts';

/** What rules are compared with, and how far it is known. */
export interface RuleComparison {
  readonly facts: Facts;
  /** Of what is false here the request's own value means nothing. */
  readonly isKnown: (attribute: RequestAttribute) => boolean;
  readonly tcp: boolean;
  readonly locate: PolicyLocator;
}

export function referenceOf({ kind, meta }: Policy): PolicyReference {
  const { namespace, name, origin } = meta;
  return { kind, namespace, name, ...origin };
}

/** As `decide` compares a rule, but that what is not known neither matches nor misses. */
export function findingOf(
  policy: AuthorizationPolicy,
  index: number,
  comparison: RuleComparison,
): RuleFinding {
  const path: YamlPath = ['spec', 'rules', index];
  const rule: AuthorizationRule | undefined = policy.rules[index];
  const { from, to, when } = fieldsOf(rule ?? { from: [], to: [], when: [] }, policy);
  const of = (fields: readonly Field[]) =>
    fields.filter(isUsed).map((field) => fieldFinding(field, { ...comparison, policy, path }));
  const parts = [...[from, to].map((alternatives) => closest(alternatives.map(of))), of(when)].flat();
  const fields =
    policy.action === 'ALLOW' && comparison.tcp ? withAllOfHttp(parts, of([...from, ...to].flat())) : parts;
  const place = comparison.locate(policy, path);
  return {
    policy: referenceOf(policy),
    rule: index,
    action: policy.action,
    outcome: all(fields.map(({ outcome }) => outcome)),
    path: formatPath(path),
    ...(place && { place }),
    fields,
  };
}

/** Where a port is not HTTP, an ALLOW drops a rule that asks for it anywhere, in whichever alternative. */
function withAllOfHttp(
  parts: readonly FieldFinding[],
  every: readonly FieldFinding[],
): readonly FieldFinding[] {
  const chosen = new Set(parts.map(({ path }) => path));
  return [...parts, ...every.filter(({ needsHttp, path }) => needsHttp && !chosen.has(path))];
}

function all(outcomes: readonly Outcome[]): Outcome {
  if (outcomes.includes('misses')) return 'misses';
  return outcomes.includes('depends') ? 'depends' : 'matches';
}

const inOrder: readonly Outcome[] = ['matches', 'depends', 'misses'];

/** Of alternatives one that matches, else one that may, else the one that misses by least. */
function closest(alternatives: readonly (readonly FieldFinding[])[]): readonly FieldFinding[] {
  const ranked = alternatives.map((fields) => ({
    fields,
    rank: inOrder.indexOf(all(fields.map(({ outcome }) => outcome))),
  }));
  return ranked.toSorted((a, b) => a.rank - b.rank || byDistance(a.fields, b.fields))[0]?.fields ?? [];
}

/** Fewer fields that missed come first, then fewer of which it is not known, then what looks more alike. */
export function byDistance(a: readonly FieldFinding[], b: readonly FieldFinding[]): number {
  return (
    count(a, 'misses') - count(b, 'misses') ||
    count(a, 'depends') - count(b, 'depends') ||
    likeness(b) - likeness(a)
  );
}

function count(fields: readonly FieldFinding[], wanted: Outcome): number {
  return fields.filter(({ outcome }) => outcome === wanted).length;
}

function likeness(fields: readonly FieldFinding[]): number {
  return fields
    .filter(({ outcome }) => outcome === 'misses')
    .reduce((sum, { came = [], wanted }) => sum + closeness(came, wanted), 0);
}

interface FieldComparison extends RuleComparison {
  readonly policy: AuthorizationPolicy;
  readonly path: YamlPath;
}

function fieldFinding(field: Field, comparison: FieldComparison): FieldFinding {
  const { policy, facts, isKnown, tcp, locate } = comparison;
  const { subject, values, notValues, within, names, httpOnly } = field;
  const needsHttp = tcp && httpOnly;
  const unknown = needsHttp ? [] : attributesOf(subject).filter((attribute) => !isKnown(attribute));
  const judged =
    needsHttp || unknown.length > 0
      ? {
          outcome: needsHttp ? incomparable(policy) : ('depends' as const),
          list: values.length > 0 ? 0 : 1,
          index: undefined,
        }
      : compared(field, facts);
  const list = names[judged.list] ?? '';
  const path = [...comparison.path, ...within, list, ...(judged.index === undefined ? [] : [judged.index])];
  const place = locate(policy, path);
  return {
    outcome: judged.outcome,
    path: formatPath(path),
    ...(place && { place }),
    name: within[0] === 'when' ? keyOf(policy, path) : list,
    wanted: values,
    unwanted: notValues,
    entry: judged.index === undefined ? undefined : [values, notValues][judged.list]?.[judged.index],
    came: unknown.length > 0 || needsHttp ? undefined : valuesOf(subject, facts),
    unknown,
    needsHttp,
  };
}

/** What cannot be compared makes an ALLOW narrower and everything else wider. */
function incomparable({ action }: AuthorizationPolicy): Outcome {
  return action === 'ALLOW' ? 'misses' : 'matches';
}

function compared(
  { values, notValues, matches }: Field,
  facts: Facts,
): { readonly outcome: Outcome; readonly list: 0 | 1; readonly index: number | undefined } {
  const first = (list: readonly string[]) => {
    const index = list.findIndex((value) => matches(value, facts));
    return index === -1 ? undefined : index;
  };
  const wanted = first(values);
  if (values.length > 0 && wanted === undefined) return { outcome: 'misses', list: 0, index: undefined };
  const unwanted = first(notValues);
  if (unwanted !== undefined) return { outcome: 'misses', list: 1, index: unwanted };
  return { outcome: 'matches', list: values.length > 0 ? 0 : 1, index: wanted };
}

function keyOf(policy: AuthorizationPolicy, path: YamlPath): string {
  const [, , rule, , index] = path;
  return policy.rules[Number(rule)]?.when[Number(index)]?.key ?? '';
}
