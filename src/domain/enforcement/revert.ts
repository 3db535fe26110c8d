import type { EnforcementRun, EnforcementScope } from './model.ts';
import { containsScope, isWithin, memberOf } from './scope.ts';

/** An order after a scope was taken back: ended where that is all of it, else without that part. */
export function revertRun(run: EnforcementRun, scope: EnforcementScope, now: Date): EnforcementRun {
  const isWhole = containsScope(scope, run.scope);
  const steps = run.steps.map((step) => {
    return isWhole || isWithin(scope, memberOf(step))
      ? { ...step, state: 'reverted' as const, since: now }
      : step;
  });
  return isWhole
    ? { ...run, state: 'reverted', steps, updatedAt: now }
    : { ...run, exempt: [...run.exempt, scope], steps, updatedAt: now };
}
