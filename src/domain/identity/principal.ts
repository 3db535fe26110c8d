import { forWorkload, type SpiffeId, type TrustDomain } from '@citadel/spiffe';

/** A caller whose proof held. What it may be called follows from here alone, never from its certificate request. */
export type Principal = KubernetesPrincipal | DevelopmentPrincipal | SvidPrincipal;

/** Proved by a service account token that the API server reviewed. */
export interface KubernetesPrincipal {
  readonly kind: 'kubernetes';
  readonly proof: 'kubernetes-token';
  readonly clusterId: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  /** The pod that the token is bound to; absent for a token that is bound to none. */
  readonly pod?: { readonly name: string; readonly uid: string; readonly nodeName: string };
}

/** Proved by a token of the development issuer; never outside development. */
export interface DevelopmentPrincipal {
  readonly kind: 'development';
  readonly proof: 'development-token';
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Names one workload instance, as a pod's UID does. */
  readonly instance: string;
}

/** Proved by a valid X.509-SVID of our trust domain: renewal outside Kubernetes. */
export interface SvidPrincipal {
  readonly kind: 'svid';
  readonly proof: 'client-certificate';
  readonly spiffeId: SpiffeId;
  /** Lower-case hexadecimal. */
  readonly serial: string;
  /** Carried over from the first issuance, so that a renewal stays the same proxy. */
  readonly proxyKey: string;
}

/** The one SPIFFE ID that the principal itself has. */
export function principalSpiffeId(principal: Principal, trustDomain: TrustDomain): SpiffeId {
  return principal.kind === 'svid'
    ? principal.spiffeId
    : forWorkload(trustDomain, principal.namespace, principal.serviceAccount);
}

/** Whether what describePrincipal said names a workload: the server's own certificates and operators' name others. */
export function isWorkloadPrincipal(described: string): boolean {
  return /^(?:kubernetes|development|svid):/.test(described);
}

/** Names the principal in the inventory and the audit record. */
export function describePrincipal(principal: Principal): string {
  switch (principal.kind) {
    case 'kubernetes': {
      const bound = principal.pod ? `/${principal.pod.uid}` : '';
      return `kubernetes:${principal.clusterId}/${principal.namespace}/${principal.serviceAccount}${bound}`;
    }
    case 'development':
      return `development:${principal.namespace}/${principal.serviceAccount}/${principal.instance}`;
    case 'svid':
      return `svid:${principal.spiffeId.toString()}#${principal.serial}`;
  }
}
