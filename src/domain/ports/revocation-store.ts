import type { RevocationReason } from '../../pki/index.ts';

/** Who took a certificate back, when and why. */
export interface RevocationWord {
  readonly revokedAt: Date;
  readonly revokedBy: string;
  /** What the CRL says. */
  readonly code: RevocationReason;
  /** What the operator said. */
  readonly reason: string;
}

/** A leaf that counts no more. */
export interface RevokedCertificate extends RevocationWord {
  /** Lower-case hexadecimal. */
  readonly serial: string;
  readonly spiffeId: string;
  /** Fingerprint of the authority that signed it. */
  readonly issuer: string;
  readonly notAfter: Date;
}

/** An authority that counts no more, and with it everything below. */
export interface RevokedAuthority extends RevocationWord {
  /** SHA-256 of the certificate's DER, lower-case hexadecimal. */
  readonly fingerprint: string;
  readonly notAfter: Date;
}

/** The newest CRL of one authority. */
export interface StoredCrl {
  /** Fingerprint of the authority. */
  readonly issuer: string;
  /** Only grows (RFC 5280, 5.2.3). */
  readonly number: number;
  /** DER. */
  readonly der: Uint8Array;
  readonly signedAt: Date;
}

/** What was taken back. A promise that resolves means: durable. */
export interface RevocationStore {
  /** All or none; of what is known already the first word stays. */
  revokeCertificates(revoked: readonly RevokedCertificate[]): Promise<void>;
  revokeAuthority(revoked: RevokedAuthority): Promise<void>;
  /** Oldest first. */
  certificates(): Promise<readonly RevokedCertificate[]>;
  authorities(): Promise<readonly RevokedAuthority[]>;
  /**
   * Replaces the CRL of the same authority.
   * @throws CitadelError Aborted when the number is not larger than the one that is there: somebody else was faster
   */
  saveCrl(crl: StoredCrl): Promise<void>;
  crls(): Promise<readonly StoredCrl[]>;
  /** Forgets certificates by their serials: they have ended, and no CRL names them. @returns how many */
  forgetCertificates(serials: readonly string[]): Promise<number>;
  /** Forgets what is of these authorities, whose own certificates have ended. */
  forgetAuthorities(fingerprints: readonly string[]): Promise<void>;
}
