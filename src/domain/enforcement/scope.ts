import type { EnforcementRun, EnforcementScope, EnforcementStep } from './model.ts';

export interface Member {
  readonly id: string;
  readonly namespace: string;
}

/** Whom a step is about. */
export function memberOf({ workload, group }: Pick<EnforcementStep, 'workload' | 'group'>): Member {
  return { id: workload, namespace: group.split('/')[0] ?? '' };
}

export function isWithin(scope: EnforcementScope, { id, namespace }: Member): boolean {
  switch (scope.kind) {
    case 'mesh':
      return true;
    case 'namespace':
      return scope.namespace === namespace;
    case 'workload':
      return scope.workload === id;
  }
}

/** Whether all that `inner` names is within `outer`. */
export function containsScope(outer: EnforcementScope, inner: EnforcementScope): boolean {
  if (outer.kind === 'mesh') return true;
  if (inner.kind === 'mesh') return false;
  if (outer.kind === 'namespace') return outer.namespace === inner.namespace;
  return inner.kind === 'workload' && outer.workload === inner.workload;
}

export function overlaps(a: EnforcementScope, b: EnforcementScope): boolean {
  return containsScope(a, b) || containsScope(b, a);
}

export function scopeText(scope: EnforcementScope): string {
  switch (scope.kind) {
    case 'mesh':
      return 'the mesh';
    case 'namespace':
      return `namespace ${scope.namespace}`;
    case 'workload':
      return `workload ${scope.workload}`;
  }
}

/** Whether the proxy of such a step was told to be strict, and still is to be. */
export function isStrict({ state }: Pick<EnforcementStep, 'state'>): boolean {
  return state === 'asked' || state === 'observing' || state === 'settling' || state === 'done';
}

/** One that is done holds for its whole scope, also for who comes later; until then for those whose turn has come. */
export function holdsFor(run: EnforcementRun, member: Member): boolean {
  if (run.state === 'superseded' || run.state === 'reverted') return false;
  if (run.exempt.some((scope) => isWithin(scope, member))) return false;
  if (run.state === 'done') return isWithin(run.scope, member);
  return run.steps.some((step) => step.workload === member.id && isStrict(step));
}
