import { createHash } from 'node:crypto';

/** The CRLs of all authorities, as verifiers are given them: all, or none. */
export interface CrlSet {
  /** As crlSetVersion makes it. */
  readonly version: string;
  /** DER. */
  readonly crls: readonly Uint8Array[];
  /** All of them, one string. */
  readonly pem: string;
}

/** SHA-256 over the CRLs in their order, lower-case hexadecimal. */
export function crlSetVersion(crls: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  // Each by its own hash, so that no cut between two of them can be moved.
  for (const der of crls) hash.update(createHash('sha256').update(der).digest());
  return hash.digest('hex');
}
