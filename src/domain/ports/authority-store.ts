/** `intermediate`: an imported authority below a root whose key is elsewhere; signs issuing authorities. */
export type AuthorityKind = 'root' | 'intermediate' | 'issuing';

/** The states of the generic slot: prepared -> active -> old -> retired. `staged`, before them: in the bundle of a few alone. */
export type AuthorityState = 'staged' | 'prepared' | 'active' | 'old' | 'retired';

export interface AuthorityRecord {
  readonly id: string;
  readonly kind: AuthorityKind;
  readonly state: AuthorityState;
  readonly tainted: boolean;
  /** The home of its key: a KeyManager's `backend`, `upstream` where an upstream signs, `none` where it is elsewhere. */
  readonly keyBackend: string;
  /** The key's id in that home; the upstream's kind for `upstream`; empty for `none`. */
  readonly keyId: string;
  /** DER. */
  readonly certificate: Uint8Array;
  /**
   * DER, from the issuer of `certificate` up to below the root; empty where the root itself issued it. Of a root: by which
   * other roots certify it, beside itself.
   */
  readonly intermediates: readonly Uint8Array[];
  /** SHA-256 of the DER, lower-case hexadecimal. */
  readonly fingerprint: string;
  /** The root's fingerprint; a root names itself. */
  readonly rootFingerprint: string;
  /** Which server process signs with it; undefined for a root. Replicas share no issuing key. */
  readonly serverId?: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly createdAt: Date;
}

export interface AuthorityStore {
  list(): Promise<readonly AuthorityRecord[]>;
  /** Writes a new record, or replaces the one of the same id. All records of one call, or none. */
  save(...records: readonly AuthorityRecord[]): Promise<void>;
  /** The bundle's sequence number: grows by one with each change of the set of roots in it. */
  bundleSequence(): Promise<bigint>;
  /**
   * Raises the sequence number when `contentVersion` is not that of the last call, and keeps what the version stands for.
   * @param roots fingerprints of the roots in it
   * @param staged the content that a few are given in its place, where some are: another one raises the number, too
   * @returns the number in force, of both
   */
  noteBundleContent(
    contentVersion: string,
    roots: readonly string[],
    staged?: { readonly contentVersion: string; readonly roots: readonly string[] },
  ): Promise<bigint>;
  /** The fingerprints of the roots in each bundle that was ever in force, by content version. */
  bundleContents(): Promise<ReadonlyMap<string, readonly string[]>>;
}
