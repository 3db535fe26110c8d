import type { SpiffeId, TrustDomain } from '@citadel/spiffe';
import { CitadelError } from '../../kernel/index.ts';
import type { NodePodQuery } from '../ports/index.ts';
import { type Principal, principalSpiffeId } from './principal.ts';

export interface IdentityRequest {
  readonly principal: Principal;
  /** The identity asked for in place of the caller's own, as a node proxy does for the pods beside it. */
  readonly impersonated?: SpiffeId;
}

export interface IdentityPolicy {
  readonly trustDomain: TrustDomain;
  /** `namespace/serviceaccount` of those who may ask for the identities of pods on their own node. */
  readonly nodeCallers: ReadonlySet<string>;
}

/** The identity to issue for; with `provided`, only once the platform has confirmed that such a pod runs there. */
export interface IdentityDecision {
  readonly spiffeId: SpiffeId;
  readonly provided?: NodePodQuery;
}

const workloadPath = /^\/ns\/([^/]+)\/sa\/([^/]+)$/;

/**
 * Decides which SPIFFE ID a caller is issued a certificate for.
 * @throws CitadelError PermissionDenied; the text is the same for every impersonation that is refused, so that a caller
 *   cannot learn which identities exist
 */
export function authorizeIdentity(request: IdentityRequest, policy: IdentityPolicy): IdentityDecision {
  const { principal, impersonated } = request;
  const own = principalSpiffeId(principal, policy.trustDomain);
  if (!own.memberOf(policy.trustDomain))
    throw impersonationRefused('the principal is of another trust domain');
  if (impersonated === undefined || impersonated.toString() === own.toString()) return { spiffeId: own };
  if (principal.kind !== 'kubernetes')
    throw impersonationRefused('only a Kubernetes node caller may impersonate');
  if (!policy.nodeCallers.has(`${principal.namespace}/${principal.serviceAccount}`)) {
    throw impersonationRefused(
      `${principal.namespace}/${principal.serviceAccount} is not an allowed node caller`,
    );
  }
  if (!principal.pod) throw impersonationRefused('the node caller’s token is not bound to a pod');
  if (!impersonated.memberOf(policy.trustDomain))
    throw impersonationRefused('asked for another trust domain');
  const [, namespace, serviceAccount] = workloadPath.exec(impersonated.path) ?? [];
  if (namespace === undefined || serviceAccount === undefined) {
    throw impersonationRefused(
      'asked for an identity that is not of the form /ns/NAMESPACE/sa/SERVICEACCOUNT',
    );
  }
  return {
    spiffeId: impersonated,
    provided: { nodeName: principal.pod.nodeName, namespace, serviceAccount },
  };
}

/** The one refusal of an impersonation. `details` is for the log and the audit record alone. */
export function impersonationRefused(details: string): CitadelError {
  return new CitadelError('PermissionDenied', 'this caller may not ask for that identity', { details });
}
