import { decides } from '../mesh/index.ts';
import {
  type PolicyProblem,
  type PreparedChange,
  policyIdentity,
  policyKey,
  readPolicies,
} from '../policy/index.ts';

/** Of what a change touches, that which can only be enforced, and not tried: what it is now, or would be. */
export function unshadowable({
  objects,
  before,
}: Pick<PreparedChange, 'objects' | 'before'>): readonly PolicyProblem[] {
  const problems = new Map<string, PolicyProblem>();
  for (const { text = '', ...key } of [...before, ...objects]) {
    const [policy] = readPolicies(text, { source: policyKey(key) }).policies;
    if (!policy || decides(policy) || (policy.kind === 'AuthorizationPolicy' && policy.dryRun)) continue;
    const what = policy.kind === 'AuthorizationPolicy' ? `the action ${policy.action}` : policy.kind;
    problems.set(policyKey(key), {
      source: policyKey(key),
      object: policyIdentity(policy),
      path: '',
      message: `${what} cannot be tried beside what holds: a proxy compares ALLOW and DENY alone`,
      mend: 'apply it by itself, without --shadow',
    });
  }
  return [...problems.values()];
}
