import type { Policy } from '../model.ts';
import { policyKey } from '../read/index.ts';
import type { PolicyWorld } from './model.ts';

/** The world with these policies in the place of those of their names, or beside the others. */
export function withPolicies(world: PolicyWorld, policies: readonly Policy[]): PolicyWorld {
  const keyOf = ({ kind, meta }: Policy) => policyKey({ kind, namespace: meta.namespace, name: meta.name });
  const changed = new Map(policies.map((policy) => [keyOf(policy), policy]));
  return {
    ...world,
    policies: [...world.policies.filter((policy) => !changed.has(keyOf(policy))), ...changed.values()],
  };
}
