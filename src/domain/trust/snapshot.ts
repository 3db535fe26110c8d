import type { CrlSet } from './crl-set.ts';

/** The trust bundle of our own trust domain at one moment. */
export interface TrustBundleSnapshot {
  readonly trustDomain: string;
  /** DER, each a self-signed CA certificate. */
  readonly authorities: readonly Uint8Array[];
  /** SHA-256 over the content, lower-case hexadecimal; the order of authorities does not matter. */
  readonly version: string;
  readonly sequenceNumber: bigint;
  /** All authorities as PEM, one string. */
  readonly pem: string;
  /** Undefined: nothing is revoked that verifiers could be told of. Not part of `version`. */
  readonly crls?: CrlSet;
}
