import type { PolicyObjectKey, StoredPolicy } from '../../ports/index.ts';
import type { Policy } from '../model.ts';
import { policyKey, policyKeyOf, readPolicies } from '../read/index.ts';
import { isStoredOrigin, readStoredPolicies, storedOrigin } from '../stored.ts';
import type { PolicyWorld } from './model.ts';

/** The world with these policies in the place of those of their names, or beside the others. */
export function withPolicies(world: PolicyWorld, policies: readonly Policy[]): PolicyWorld {
  const changed = new Map(policies.map((policy) => [policyKeyOf(policy), policy]));
  return { ...world, policies: [...withoutPolicies(world, changed).policies, ...changed.values()] };
}

/** The world without these policies, whoever keeps them. @param keys as policyKeyOf makes them */
export function withoutPolicies(world: PolicyWorld, keys: { has(key: string): boolean }): PolicyWorld {
  return { ...world, policies: world.policies.filter((policy) => !keys.has(policyKeyOf(policy))) };
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

/**
 * The world in which the server keeps what it kept at a revision; what others keep is as it is, and counts before it.
 * @param only of this policy alone it is so
 */
export function withStored(
  world: PolicyWorld,
  stored: readonly StoredPolicy[],
  only?: PolicyObjectKey,
): PolicyWorld {
  const left = only
    ? withoutStored(world, [only]).policies
    : world.policies.filter(({ meta }) => !isStoredOrigin(meta.origin.source));
  const taken = new Set(left.map(policyKeyOf));
  const meant = only ? stored.filter((each) => policyKey(each) === policyKey(only)) : stored;
  const kept = readStoredPolicies(meant).policies.filter((policy) => !taken.has(policyKeyOf(policy)));
  return { ...world, policies: [...left, ...kept] };
}
