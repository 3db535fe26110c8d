import {
  type Policy,
  type PolicyWorld,
  policyHash,
  policyKeyOf,
  type WorldComparison,
  withoutPolicies,
  withPolicies,
} from '../../domain/policy/index.ts';

/** What files are put in the place of. */
export type Against =
  /** Other files, which hold in a world; what these have alone goes. */
  | { readonly kind: 'files'; readonly policies: readonly Policy[] }
  /** What is live. */
  | { readonly kind: 'live'; readonly removing: Removing };

/** What of the live policies goes, of which the files have none. */
export type Removing =
  | { readonly kind: 'nothing' }
  /** What the change took out of the files: it had these before. */
  | { readonly kind: 'deleted'; readonly base: readonly Policy[] }
  /** All, of some namespaces or of each: the files are all there is. */
  | { readonly kind: 'others'; readonly namespaces: readonly string[] | undefined };

/** What a change of files makes of what holds. */
export interface PolicyChange {
  readonly before: PolicyWorld;
  readonly after: PolicyWorld;
  /** What held and is in none of the files: it goes. */
  readonly removed: readonly Policy[];
  /** What is live and in none of the files, where nobody says which of these go. */
  readonly staying: readonly string[];
  /** What is live otherwise than the change had it before, or not at all. */
  readonly drifted: readonly string[];
}

/** @param policies of the files, as they are after the change */
export function changeOf(world: PolicyWorld, policies: readonly Policy[], against: Against): PolicyChange {
  const before = against.kind === 'files' ? withPolicies(world, against.policies) : world;
  const named = new Set(policies.map(policyKeyOf));
  const goes = goesBy(against);
  const others = before.policies.filter((policy) => !named.has(policyKeyOf(policy)));
  const removed = others.filter(goes);
  const left = withoutPolicies(before, new Set(removed.map(policyKeyOf)));
  return {
    before,
    after: withPolicies(left, policies),
    removed,
    staying: against.kind === 'live' && against.removing.kind === 'nothing' ? others.map(policyKeyOf) : [],
    drifted: driftOf(world, against),
  };
}

function goesBy(against: Against): (policy: Policy) => boolean {
  if (against.kind === 'files') return isAmong(against.policies);
  const { removing } = against;
  if (removing.kind === 'deleted') return isAmong(removing.base);
  if (removing.kind === 'nothing') return () => false;
  const { namespaces } = removing;
  return ({ meta }) => namespaces === undefined || namespaces.includes(meta.namespace);
}

function isAmong(policies: readonly Policy[]): (policy: Policy) => boolean {
  const keys = new Set(policies.map(policyKeyOf));
  return (policy) => keys.has(policyKeyOf(policy));
}

function driftOf(world: PolicyWorld, against: Against): readonly string[] {
  if (against.kind !== 'live' || against.removing.kind !== 'deleted') return [];
  const live = new Map(world.policies.map((policy) => [policyKeyOf(policy), policy]));
  return against.removing.base
    .filter((policy) => {
      const now = live.get(policyKeyOf(policy));
      return now === undefined || policyHash(now) !== policyHash(policy);
    })
    .map(policyKeyOf);
}

/** A policy that goes, and what hangs on it alone, with all else as it will be. */
export interface Removal {
  readonly policy: Policy;
  /** Undefined where it was not asked. */
  readonly effect: WorldComparison | undefined;
}

/** Of more it is told together alone what their going changes: each costs a comparison. */
const mostCompared = 10;

/** @param compare decides it; its time is bounded by itself */
export function removalsOf(
  { removed, after }: PolicyChange,
  compare: (before: PolicyWorld, after: PolicyWorld) => WorldComparison,
): readonly Removal[] {
  return removed.map((policy, at) => ({
    policy,
    effect: at < mostCompared ? compare(withPolicies(after, [policy]), after) : undefined,
  }));
}
