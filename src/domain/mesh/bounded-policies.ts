import { once } from '../../kernel/index.ts';
import { keySetId, keySetLocation } from '../jwks/index.ts';
import { type AuthorizationPolicy, type Policy, policiesWeight } from '../policy/index.ts';
import type { KeySetTexts } from './model.ts';

/**
 * Of all policies that hold for a workload, with the keys that they name, times its ports: Envoy compiles them once more
 * for each filter chain. At this it takes half a minute and 500 MB (measured, 1.40); a proxy that does not answer within
 * two minutes is cut off.
 */
export const mostPolicies = 32 * 1024 * 1024;

/** Said to authors and operators of policies that are too much for the proxies of a workload. */
export const tooMuch =
  'all policies of this workload together, times its ports, are too much for its proxy: nobody may call it until some are removed, or match by prefixes';

/** In the place of what cannot be told to a proxy whole: a part of it might allow what the rest denies. */
const denyAll: AuthorizationPolicy = {
  kind: 'AuthorizationPolicy',
  meta: { namespace: 'citadel', name: 'too-many-policies', generation: 0, origin: { source: 'citadel' } },
  selector: undefined,
  targetRefs: [],
  action: 'DENY',
  provider: undefined,
  dryRun: false,
  rules: [{ from: [], to: [], when: [] }],
};

/** @param ports so many has the workload */
export function areTooMuch(policies: readonly Policy[], keySets: KeySetTexts, ports: number): boolean {
  const keys = keySets.size === 0 ? 0 : keysWeight(policies, keySets);
  return (policiesWeight(policies) + keys) * ports > mostPolicies;
}

/** Each rule has its keys for itself. */
function keysWeight(policies: readonly Policy[], keySets: KeySetTexts): number {
  return policies
    .flatMap((policy) => (policy.kind === 'RequestAuthentication' ? policy.jwtRules : []))
    .map(keySetLocation)
    .reduce((sum, at) => sum + (at === undefined ? 0 : (keySets.get(keySetId(at))?.length ?? 0)), 0);
}

/** That nobody may call the workload; modes of mutual TLS stay as they are. */
export const nobodyMayCall = once((policies: readonly Policy[]): readonly Policy[] => [
  denyAll,
  ...policies.filter(({ kind }) => kind === 'PeerAuthentication'),
]);
