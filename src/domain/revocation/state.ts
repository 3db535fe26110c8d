import { createHash } from 'node:crypto';
import type { ParsedCrl } from '../../pki/index.ts';
import type { AuthorityRecord, RevokedAuthority, RevokedCertificate } from '../ports/index.ts';

/** The newest CRL of an authority. */
export interface HeldCrl extends ParsedCrl {
  /** Fingerprint of the authority. */
  readonly issuer: string;
  readonly signedAt: Date;
}

/** All that decisions about revocation are made of. */
export interface RevocationState {
  readonly authorities: readonly AuthorityRecord[];
  readonly certificates: readonly RevokedCertificate[];
  readonly revokedAuthorities: readonly RevokedAuthority[];
  /** By fingerprint of the authority. */
  readonly crls: ReadonlyMap<string, HeldCrl>;
}

/** Fingerprint of the authority that signed this one's certificate; a root's own. */
export function signerOf({ intermediates, rootFingerprint }: AuthorityRecord): string {
  const [above] = intermediates;
  return above ? createHash('sha256').update(above).digest('hex') : rootFingerprint;
}

/** Whether what is below it may still be valid. */
export function isInForce({ state, notAfter }: AuthorityRecord, now: Date): boolean {
  return state !== 'retired' && notAfter > now;
}
