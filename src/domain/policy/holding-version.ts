import { hash } from 'node:crypto';
import { once } from '../../kernel/index.ts';
import { policyHash } from './canonical.ts';
import { policiesByWorkload } from './holding.ts';
import type { Policy } from './model.ts';
import { indexPolicies } from './select.ts';
import type { PolicyWorld } from './world/index.ts';

const holding = once((world: PolicyWorld) =>
  policiesByWorkload(indexPolicies(world), world.workloads.values()),
);

/** Undefined for a workload that is not there. */
export function holdingPolicies(world: PolicyWorld, workload: string): readonly Policy[] | undefined {
  return holding(world).get(workload);
}

/** Of policies that hold together, in the order in which they do. */
export const policiesVersion = once((policies: readonly Policy[]) =>
  hash('sha256', policies.map(policyHash).join(), 'hex'),
);

/**
 * All policies that hold for a workload, what they say and which comes before which, as one hash: the same where nothing
 * of it has changed. Undefined for a workload that is not there.
 */
export function holdingVersion(world: PolicyWorld, workload: string): string | undefined {
  const policies = holdingPolicies(world, workload);
  return policies && policiesVersion(policies);
}
