import { once } from '../../../kernel/index.ts';
import type { YamlPath } from '../../../yaml/index.ts';
import type { Workload } from '../../mesh/index.ts';
import type { Difference } from '../exact/index.ts';
import type { AuthorizationPolicy, MutualTlsMode, Policy } from '../model.ts';
import { appliesTo, indexPolicies, mutualTlsModeOf, type PolicyIndex, policiesOf } from '../select.ts';
import type { PolicyWorld } from '../world/index.ts';

/** What policies are about. */
export type LintRegistry = Pick<PolicyWorld, 'workloads' | 'services' | 'settings'>;

/** What one check says against a policy, at a path within it. */
export interface Remark {
  readonly policy: Policy;
  readonly rule: string;
  readonly path: YamlPath;
  readonly message: string;
  readonly mend: string;
  /** Of what never matches: the one value for which it does not. */
  readonly because?: YamlPath | undefined;
  /** A request that shows it, where one does, and a port that it goes to. */
  readonly witness?: Pick<Difference, 'places' | 'witness'> | undefined;
}

/** What the checks share; all of it is worked out at most once. */
export interface LintContext {
  /** Those that are judged. */
  readonly policies: readonly Policy[];
  /** All that hold together, in their order. */
  readonly all: readonly Policy[];
  /** How many values may be compared with one another; what is beyond it is told, not compared. */
  readonly comparisons: number;
  readonly registry: LintRegistry;
  readonly anyMesh: LintOptions['anyMesh'];
  readonly index: PolicyIndex;
  /** For which a policy holds. */
  workloadsOf(policy: Policy): readonly Workload[];
  /** What holds for a workload. */
  policiesOf(workload: Workload): readonly Policy[];
  modeOf(workload: Workload, port: number): MutualTlsMode;
}

export interface LintOptions {
  /** Only these are judged, of the same objects; all of them where there is nothing said. */
  readonly subjects?: readonly Policy[];
  readonly comparisons?: number;
  /**
   * Nobody knows who is there: the registry's workloads stand for all that there may be. These policies are all that hold, or
   * others do too, so that nothing is said that hangs on there being none.
   */
  readonly anyMesh?: 'these-alone' | 'others-too' | undefined;
}

/** A few seconds' worth. */
const mostComparisons = 20_000_000;

export function createContext(
  policies: readonly Policy[],
  registry: LintRegistry,
  { subjects = policies, comparisons = mostComparisons, anyMesh }: LintOptions = {},
): LintContext {
  const index = indexPolicies({ policies, services: registry.services, settings: registry.settings });
  const workloads = [...registry.workloads.values()];
  const byNamespace = new Map<string, Workload[]>();
  for (const workload of workloads)
    byNamespace.set(workload.namespace, [...(byNamespace.get(workload.namespace) ?? []), workload]);
  const reachOf = ({ meta }: Policy) =>
    meta.namespace === registry.settings.rootNamespace ? workloads : (byNamespace.get(meta.namespace) ?? []);
  const found = once((policy: Policy) =>
    reachOf(policy).filter((workload) => appliesTo(policy, workload, index)),
  );
  const holding = once((workload: Workload) => policiesOf(index, workload));
  return {
    policies: subjects,
    all: policies,
    comparisons,
    registry,
    anyMesh,
    index,
    workloadsOf: found,
    policiesOf: holding,
    modeOf: (workload, port) => mutualTlsModeOf(holding(workload), port),
  };
}

export function authorizationsOf(policies: readonly Policy[]): readonly AuthorizationPolicy[] {
  return policies.filter((policy) => policy.kind === 'AuthorizationPolicy');
}

/** Names for a message: the first few, and how many more. */
export function named(names: readonly string[]): string {
  const few = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${few} and ${names.length - 3} more` : few;
}

export function nameOf({ namespace, name }: Pick<Workload, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}
