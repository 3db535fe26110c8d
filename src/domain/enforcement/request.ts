import { CitadelError } from '../../kernel/index.ts';
import type { MeshSnapshot, Workload } from '../mesh/index.ts';
import type { EnforcementRun, EnforcementScope } from './model.ts';
import { type EnforcementPlan, isDue, notReady } from './plan.ts';
import { overlaps, scopeText } from './scope.ts';

export interface Enforcer {
  readonly subject: string;
  readonly proof: string;
}

/** A workload by its id, or by its name where only one has it. */
export type ScopeQuery =
  | Exclude<EnforcementScope, { kind: 'workload' }>
  | { readonly kind: 'workload'; readonly name: string };

export interface EnforcementRequest {
  readonly scope: ScopeQuery;
  /** Milliseconds. */
  readonly observe: number;
  readonly window: number;
  readonly revertWithin: number | undefined;
  readonly force: boolean;
  readonly reason: string;
  /** Of the plan that the operator saw. */
  readonly digest: string;
}

/** A run is journalled as a whole; a larger mesh is enforced namespace by namespace. */
const mostWorkloads = 1000;

/** Whether a query names just this scope. */
export function isCalled(scope: EnforcementScope, query: ScopeQuery): boolean {
  return query.kind === 'workload' && scope.kind === 'workload' && scope.workload === query.name;
}

export function resolveScope(query: ScopeQuery, { workloads }: MeshSnapshot): EnforcementScope {
  if (query.kind !== 'workload') return query;
  const found: Workload[] = [...workloads.values()].filter(
    ({ id, name }) => id === query.name || name === query.name,
  );
  const exact = found.find(({ id }) => id === query.name) ?? (found.length === 1 ? found[0] : undefined);
  if (exact) return { kind: 'workload', namespace: exact.namespace, workload: exact.id };
  throw found.length === 0
    ? new CitadelError('NotFound', `no registry has a workload ${query.name}`)
    : new CitadelError(
        'FailedPrecondition',
        `several workloads are called ${query.name}: name one by its id`,
      );
}

/** Why an order is not begun. @throws CitadelError */
export function refuse(
  plan: EnforcementPlan,
  { digest, force, reason }: EnforcementRequest,
  runs: readonly EnforcementRun[],
): void {
  const other = runs.find((run) => run.state === 'running' && overlaps(run.scope, plan.scope));
  if (other)
    throw new CitadelError(
      'AlreadyExists',
      `${other.startedBy} makes ${scopeText(other.scope)} strict since ${other.startedAt.toISOString()} (order ${other.id}); wait for it, or take it back with citadel mtls revert`,
    );
  if (digest !== plan.digest)
    throw new CitadelError('Aborted', 'what would be done has changed meanwhile: look at it again');
  if (!plan.workloads.some(isDue))
    throw new CitadelError(
      'FailedPrecondition',
      `nothing of ${scopeText(plan.scope)} is left to be made strict`,
    );
  if (plan.workloads.length > mostWorkloads)
    throw new CitadelError(
      'FailedPrecondition',
      `an order is for ${mostWorkloads} workloads at most: enforce namespace by namespace`,
    );
  const [first, ...others] = notReady(plan);
  if (first && !force)
    throw new CitadelError(
      'FailedPrecondition',
      `strictness is not known to be safe: ${first.workload} is ${first.verdict} (${first.reasons.join('; ')})${others.length > 0 ? `, and ${others.length} more` : ''}`,
    );
  if (force && reason === '')
    throw new CitadelError('InvalidArgument', 'what overrides readiness needs a reason, for the record');
}

/** What the audit record keeps of an order. */
export function detailsOf(run: EnforcementRun, plan: EnforcementPlan): Record<string, string> {
  const forced = run.steps.filter((step) => step.forced);
  return {
    order: run.id,
    workloads: String(plan.workloads.filter(isDue).length),
    ...(run.revertUntil ? { revertUntil: run.revertUntil.toISOString() } : {}),
    ...(forced.length > 0
      ? {
          forced: forced
            .map(({ workload }) => workload)
            .slice(0, 20)
            .join(' '),
          accepted: [...new Set(forced.flatMap(({ accepted }) => accepted))].slice(0, 50).join(' '),
        }
      : {}),
  };
}
