import { once } from '../../kernel/index.ts';
import type { AuthorizationPolicy, Policy } from './model.ts';

/**
 * Of all policies that hold for a workload, with the keys that they name, times its ports: Envoy compiles them once more
 * for each filter chain. At this it takes half a minute and 500 MB (measured, 1.40); a proxy that does not answer within
 * two minutes is cut off.
 */
export const mostPolicies = 32 * 1024 * 1024;

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

/** That nobody may call the workload; modes of mutual TLS stay as they are. */
export const nobodyMayCall = once((policies: readonly Policy[]): readonly Policy[] => [
  denyAll,
  ...policies.filter(({ kind }) => kind === 'PeerAuthentication'),
]);
