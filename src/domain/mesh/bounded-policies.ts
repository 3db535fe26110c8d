import { keySetId, keySetLocation } from '../jwks/index.ts';
import { mostPolicies, type Policy, policiesWeight } from '../policy/index.ts';
import type { KeySetTexts } from './model.ts';

/** Said to authors and operators of policies that are too much for the proxies of a workload. */
export const tooMuch =
  'all policies of this workload together, times its ports, are too much for its proxy: nobody may call it until some are removed, or match by prefixes';

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
