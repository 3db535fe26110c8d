import { once } from '../../../kernel/index.ts';
import type {
  AuthorizationPolicy,
  AuthorizationRule,
  Condition,
  OperationMatch,
  PolicyTargetReference,
  SourceMatch,
} from '../model.ts';
import { policyKey } from '../read/index.ts';
import { authorizationsOf, type LintContext, type Remark } from './context.ts';
import {
  type Covers,
  equalCovers,
  hostCovers,
  ipCovers,
  metadataCovers,
  pathCovers,
  patternCovers,
} from './pattern.ts';
import { conditionField, valuesOf, valuesOfRule } from './values.ts';

type Fields<T> = readonly (readonly [positive: keyof T, negative: keyof T, covers: Covers])[];

const sourceFields: Fields<SourceMatch> = [
  ['principals', 'notPrincipals', patternCovers],
  ['requestPrincipals', 'notRequestPrincipals', patternCovers],
  ['namespaces', 'notNamespaces', patternCovers],
  ['serviceAccounts', 'notServiceAccounts', equalCovers],
  ['trustDomains', 'notTrustDomains', patternCovers],
  ['ipBlocks', 'notIpBlocks', ipCovers],
  ['remoteIpBlocks', 'notRemoteIpBlocks', ipCovers],
];

const operationFields: Fields<OperationMatch> = [
  ['hosts', 'notHosts', hostCovers],
  ['ports', 'notPorts', equalCovers],
  ['methods', 'notMethods', patternCovers],
  ['paths', 'notPaths', pathCovers],
];

/** How the values of a field are compared. */
export function coversOf(field: string): Covers {
  if (field.startsWith('experimental.')) return metadataCovers;
  const known = [...sourceFields, ...operationFields].find(([positive]) => positive === field);
  return known?.[2] ?? (field === 'destination.ip' ? ipCovers : patternCovers);
}

/** Whether whatever `b` matches, `a` matches too; where it cannot be told, it does not. */
function ruleCovers(a: AuthorizationRule, b: AuthorizationRule): boolean {
  return (
    someCover(a.from, b.from, (x, y) => fieldsCover(sourceFields, x, y)) &&
    someCover(a.to, b.to, (x, y) => fieldsCover(operationFields, x, y)) &&
    a.when.every((x) => b.when.some((y) => conditionCovers(x, y)))
  );
}

function someCover<T>(a: readonly T[], b: readonly T[], covers: (x: T, y: T) => boolean): boolean {
  return a.length === 0 || (b.length > 0 && b.every((y) => a.some((x) => covers(x, y))));
}

function fieldsCover<T extends Record<keyof T, readonly string[]>>(fields: Fields<T>, a: T, b: T): boolean {
  return fields.every(([positive, negative, covers]) =>
    listsCover(
      { values: a[positive], notValues: a[negative] },
      { values: b[positive], notValues: b[negative] },
      covers,
    ),
  );
}

type Lists = Pick<Condition, 'values' | 'notValues'>;

function listsCover(a: Lists, b: Lists, covers: Covers): boolean {
  return (
    someCover(a.values, b.values, covers) &&
    // What the one leaves out, the other must leave out as well.
    a.notValues.every((x) => b.notValues.some((y) => covers(y, x)))
  );
}

function conditionCovers(a: Condition, b: Condition): boolean {
  return a.key === b.key && listsCover(a, b, coversOf(conditionField(a.key)));
}

function targetKey({ group, kind, name }: PolicyTargetReference): string {
  return `${group}/${kind}/${name}`;
}

/** Whether `a` holds wherever `b` does. */
function scopeCovers(a: AuthorizationPolicy, b: AuthorizationPolicy, rootNamespace: string): boolean {
  if (a === b) return true;
  if (a.meta.namespace !== b.meta.namespace && a.meta.namespace !== rootNamespace) return false;
  if (a.targetRefs.length > 0) {
    const targets = new Set(a.targetRefs.map(targetKey));
    return (
      a.meta.namespace === b.meta.namespace &&
      b.targetRefs.length > 0 &&
      b.targetRefs.every((target) => targets.has(targetKey(target)))
    );
  }
  const wanted = Object.entries(a.selector ?? {});
  return wanted.every(([key, value]) => b.selector?.[key] === value);
}

interface Place {
  readonly policy: AuthorizationPolicy;
  readonly at: number;
  /** Of the policy among all; of two rules that say the same, the earlier one stays. */
  readonly order: number;
}

/** A rule that another one covers changes nothing: it is left over, or the other one is wider than was meant. */
export function coveredRules({ policies, all, comparisons, index }: LintContext): readonly Remark[] {
  const remarks: Remark[] = [];
  let left = comparisons;
  const order = new Map(all.map((policy, number) => [policy, number]));
  const sizeOf = once((policy: AuthorizationPolicy) => policy.rules.length + valuesOf(policy).length);
  for (const policy of authorizationsOf(policies)) {
    const near = [policy.meta.namespace, index.rootNamespace].flatMap(
      (name) => index.byNamespace.get(name) ?? [],
    );
    left -= near.length;
    const wider = authorizationsOf([...new Set(near)]).filter(
      (other) => sameAction(other, policy) && scopeCovers(other, policy, index.rootNamespace),
    );
    const places = wider.flatMap((other) =>
      other.rules.map((_, at): Place => ({ policy: other, at, order: order.get(other) ?? 0 })),
    );
    left -= sum(wider.map(sizeOf)) * sizeOf(policy);
    if (left < 0) return [...remarks, notCompared(policy)];
    for (const at of policy.rules.keys()) {
      const own = { policy, at, order: order.get(policy) ?? 0 };
      const found = places.find((place) => makesNeedless(place, own, index.rootNamespace));
      if (found) remarks.push(covered(own, found));
    }
  }
  return remarks;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function sameAction(a: AuthorizationPolicy, b: AuthorizationPolicy): boolean {
  return a.action === b.action && a.provider === b.provider && a.dryRun === b.dryRun;
}

function makesNeedless(wide: Place, narrow: Place, rootNamespace: string): boolean {
  const [a, b] = [wide.policy.rules[wide.at], narrow.policy.rules[narrow.at]];
  if (!a || !b || a === b || !ruleCovers(a, b)) return false;
  // A service account without a namespace is of the policy's own: in two namespaces the same text means two.
  if (
    wide.policy.meta.namespace !== narrow.policy.meta.namespace &&
    (namesOwnAccounts(a) || namesOwnAccounts(b))
  )
    return false;
  const isEarlier = wide.order - narrow.order || wide.at - narrow.at;
  return isEarlier < 0 || !ruleCovers(b, a) || !scopeCovers(narrow.policy, wide.policy, rootNamespace);
}

function namesOwnAccounts(rule: AuthorizationRule): boolean {
  return valuesOfRule(rule, 0).some(
    ({ field, value }) => field === 'serviceAccounts' && !value.includes('/'),
  );
}

function covered({ policy, at }: Place, by: Place): Remark {
  const { kind, meta } = by.policy;
  const where =
    by.policy === policy ? '' : ` of ${policyKey({ kind, namespace: meta.namespace, name: meta.name })}`;
  return {
    policy,
    rule: 'covered-rule',
    path: ['spec', 'rules', at],
    message: `rule ${by.at}${where} matches all that this one matches, so that this one changes nothing`,
    mend: 'remove this rule, or narrow the other one',
  };
}

function notCompared(policy: AuthorizationPolicy): Remark {
  return {
    policy,
    rule: 'rules-not-compared',
    path: ['spec', 'rules'],
    message: 'from here on, rules are too many to be compared with one another',
    mend: 'lint fewer policies at a time to find rules that others cover',
  };
}
