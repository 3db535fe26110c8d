import type { Certificate, SpiffeId } from '@citadel/spiffe';
import type { Secret } from '../../kernel/index.ts';

/** Our X.509-SVID in the forms in which consumers ask for it, each made once. */
export interface Identity {
  readonly id: SpiffeId;
  /** Of the leaf, lower-case hexadecimal. */
  readonly serial: string;
  /** SHA-256 of the DER of the leaf's issuer, lower-case hexadecimal; of the root where there is no intermediate. */
  readonly issuer: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** When we got it; notBefore is back-dated. */
  readonly receivedAt: Date;
  /** Leaf first, no root. */
  readonly chain: readonly Certificate[];
  readonly chainPem: string;
  /** PKCS#8. */
  readonly keyPem: Secret<string>;
  readonly keyDer: Secret<Uint8Array>;
}

/** The authorities of one trust domain. */
export interface Bundle {
  readonly trustDomain: string;
  readonly authorities: readonly Certificate[];
  /** SHA-256 over the content, lower-case hexadecimal, as the server computes it. */
  readonly version: string;
  readonly pem: string;
  readonly crls?: Crls;
}

/** The CRLs of all authorities of a trust domain that issue leaves. */
export interface Crls {
  readonly version: string;
  readonly pem: string;
}

/** What the agent has at one moment. */
export interface AgentSnapshot {
  /** Undefined until the first certificate is there. */
  readonly identity: Identity | undefined;
  /** By trust domain; our own is `ownTrustDomain`'s. */
  readonly bundles: ReadonlyMap<string, Bundle>;
  readonly ownTrustDomain: string | undefined;
}

export function ownBundle(snapshot: AgentSnapshot): Bundle | undefined {
  return snapshot.ownTrustDomain === undefined ? undefined : snapshot.bundles.get(snapshot.ownTrustDomain);
}
