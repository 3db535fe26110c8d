import type { PolicyObjectKey } from '../../ports/index.ts';
import type { Policy } from '../model.ts';
import { policyKey, readPolicies } from '../read/index.ts';
import { storedOrigin } from '../stored.ts';
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

/** The world without those of these that are kept by the server itself; of sources that describe themselves nothing goes. */
export function withoutStored(world: PolicyWorld, keys: readonly PolicyObjectKey[]): PolicyWorld {
  const gone = new Set(keys.map(storedOrigin));
  // With its line, where it comes from a document.
  const sourceOf = ({ meta }: Policy) => meta.origin.source.replace(/:\d+$/, '');
  return { ...world, policies: world.policies.filter((policy) => !gone.has(sourceOf(policy))) };
}

/** A change of what the server keeps: texts take the place of policies of their names. */
interface KeptChange {
  readonly texts: readonly { readonly source: string; readonly text: string }[];
  readonly remove: readonly PolicyObjectKey[];
}

/** The world as a change would make it; what of its texts cannot be read is not in it: whoever asks looks at that first. */
export function withChanges(world: PolicyWorld, { texts, remove }: KeptChange): PolicyWorld {
  const policies = texts.flatMap(({ source, text }) => readPolicies(text, { source }).policies);
  return withPolicies(withoutStored(world, remove), policies);
}
