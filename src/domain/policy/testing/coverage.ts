import { formatPath, type YamlPath } from '../../../yaml/index.ts';
import { conditionSubject, isHttpOnly } from '../decide/index.ts';
import { beforeTokens, findingOf, type Outcome } from '../explain/index.ts';
import type { AuthorizationPolicy, AuthorizationRule, Policy } from '../model.ts';
import type { Asked } from './outcome.ts';

/** One thing that a policy says, and whether a test would see it if it were gone. */
export interface CoverageUnit {
  readonly policy: AuthorizationPolicy;
  /**
   * `match`: a rule that some call matches; `miss`: one that some call does not; `value`: one of a list by which some call
   * matches its rule; `exception`: one of a `not` list that keeps some call from matching.
   */
  readonly kind: 'match' | 'miss' | 'value' | 'exception';
  readonly path: YamlPath;
  /** Of a list. */
  readonly value: string | undefined;
  readonly covered: boolean;
}

export interface PolicyCoverage {
  readonly policy: AuthorizationPolicy;
  readonly units: readonly CoverageUnit[];
}

/** In whole percent, rounded down; 100 where there is nothing to cover. */
export function coveredPercent(coverage: readonly PolicyCoverage[]): number {
  const units = coverage.flatMap((each) => each.units);
  const covered = units.filter((unit) => unit.covered).length;
  return units.length === 0 ? 100 : Math.floor((covered * 100) / units.length);
}

export function describeUnit({ kind, path, value }: CoverageUnit): string {
  const at = formatPath(path);
  switch (kind) {
    case 'match':
      return `${at}: no case matches this rule`;
    case 'miss':
      return `${at}: no case fails to match this rule`;
    case 'value':
      return `${at}: no case matches by ${JSON.stringify(value)}`;
    case 'exception':
      return `${at}: no case is kept out by ${JSON.stringify(value)}`;
  }
}

/** What of the policies' rules calls have exercised. @param asked what stood before policies, call by call */
export function coverageOf(policies: readonly Policy[], asked: readonly Asked[]): readonly PolicyCoverage[] {
  const subjects = policies.filter((policy) => policy.kind === 'AuthorizationPolicy');
  const open = new Map(
    subjects.map((policy) => [policy, policy.rules.flatMap((rule, at) => probesOf(policy, rule, at))]),
  );
  const covered = new Set<Probe>();
  for (const each of asked) {
    for (const policy of each.policies) {
      if (policy.kind !== 'AuthorizationPolicy' || !each.steps.has(policy.action)) continue;
      for (const probe of open.get(policy) ?? [])
        if (!covered.has(probe) && probe.isSeenBy(each)) covered.add(probe);
    }
  }
  return subjects.map((policy) => ({
    policy,
    units: (open.get(policy) ?? []).map((probe) => ({
      policy,
      kind: probe.kind,
      path: probe.path,
      value: probe.value,
      covered: covered.has(probe),
    })),
  }));
}

interface Probe extends Omit<CoverageUnit, 'covered' | 'policy'> {
  readonly isSeenBy: (asked: Asked) => boolean;
}

function probesOf(policy: AuthorizationPolicy, rule: AuthorizationRule, at: number): readonly Probe[] {
  const path = ['spec', 'rules', at];
  const matches = (some: AuthorizationRule, asked: Asked) => outcomeOf(policy, some, asked) === 'matches';
  const misses = (some: AuthorizationRule, asked: Asked) => outcomeOf(policy, some, asked) === 'misses';
  const isOpen = rule.from.length + rule.to.length + rule.when.length === 0;
  const match: Probe = { kind: 'match', path, value: undefined, isSeenBy: (asked) => matches(rule, asked) };
  const miss: Probe = { ...match, kind: 'miss', isSeenBy: (asked) => misses(rule, asked) };
  const values = partsOf(rule).flatMap(({ path: within, list, isHttp, isException, narrowed }) =>
    list.map((value, index): Probe => {
      const alone = narrowed([value]);
      const without = narrowed([]);
      const isSeenBy = isException
        ? (asked: Asked) => misses(rule, asked) && matches(without, asked) && misses(alone, asked)
        : (asked: Asked) => matches(alone, asked);
      return {
        kind: isException ? 'exception' : 'value',
        path: [...path, ...within, index],
        value,
        // On a port whose bytes nobody reads it is not compared.
        isSeenBy: (asked) => !(isHttp && asked.comparison.tcp) && isSeenBy(asked),
      };
    }),
  );
  // What matches everything cannot be missed.
  return [match, ...(isOpen ? [] : [miss]), ...values];
}

interface Part {
  readonly path: YamlPath;
  readonly list: readonly string[];
  readonly isHttp: boolean;
  readonly isException: boolean;
  /** The rule with this alternative alone, and in it this list. */
  readonly narrowed: (list: readonly string[]) => AuthorizationRule;
}

const httpLists: ReadonlySet<string> = new Set([
  'requestPrincipals',
  'notRequestPrincipals',
  'hosts',
  'notHosts',
  'methods',
  'notMethods',
  'paths',
  'notPaths',
]);

function partsOf(rule: AuthorizationRule): readonly Part[] {
  const alternatives = [
    ...rule.from.map((source, index) => ({ key: 'from', within: 'source', index, lists: source }) as const),
    ...rule.to.map(
      (operation, index) => ({ key: 'to', within: 'operation', index, lists: operation }) as const,
    ),
  ];
  return [
    ...alternatives.flatMap(({ key, within, index, lists }) =>
      Object.entries(lists).map(
        ([name, list]: [string, readonly string[]]): Part => ({
          path: [key, index, within, name],
          list,
          isHttp: httpLists.has(name),
          isException: name.startsWith('not'),
          narrowed: (some) => ({ ...rule, [key]: [{ ...lists, [name]: some }] }),
        }),
      ),
    ),
    ...rule.when.flatMap((condition, index) =>
      (['values', 'notValues'] as const).map(
        (name): Part => ({
          path: ['when', index, name],
          list: condition[name],
          isHttp: isHttpOnly(conditionSubject(condition.key)),
          isException: name === 'notValues',
          narrowed: (some) => ({ ...rule, when: rule.when.with(index, { ...condition, [name]: some }) }),
        }),
      ),
    ),
  ];
}

/** What one rule, by itself, comes to: as its policy's action has it compared. */
function outcomeOf(policy: AuthorizationPolicy, rule: AuthorizationRule, { comparison }: Asked): Outcome {
  const known = policy.action === 'CUSTOM' ? beforeTokens(comparison) : comparison;
  return findingOf({ ...policy, rules: [rule] }, 0, known).outcome;
}
