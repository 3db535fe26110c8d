/** What is about to be signed, recorded before the key is used. */
export interface IssuanceIntent {
  /** Lower-case hexadecimal, unique. */
  readonly serial: string;
  readonly spiffeId: string;
  /** What the caller proved, for example `kubernetes:CLUSTER/NAMESPACE/SERVICEACCOUNT/POD-UID`. */
  readonly principal: string;
  /** Key under which adoption is counted: the pod's UID, else the SPIFFE ID with the serial of the first SVID. */
  readonly proxyKey: string;
  /** SHA-256 of the issuing authority's certificate DER, lower-case hexadecimal. */
  readonly issuer: string;
  /** SHA-256 of the TBSCertificate DER, lower-case hexadecimal. */
  readonly tbsDigest: string;
  /** Content version of the trust bundle that the reply carries. */
  readonly bundleVersion: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly recordedAt: Date;
}

export type IssuanceState = 'intended' | 'issued' | 'failed' | 'abandoned';

/** What came of an intent. */
export type IssuanceResult =
  | { readonly serial: string; readonly state: 'issued'; readonly certificate: Uint8Array }
  | { readonly serial: string; readonly state: 'failed' | 'abandoned'; readonly reason: string };

export interface IssuanceRecord extends IssuanceIntent {
  readonly state: IssuanceState;
  /** DER; present when issued. */
  readonly certificate?: Uint8Array;
  readonly reason?: string;
}

/** All conditions given must hold. */
export interface IssuanceQuery {
  readonly spiffeId?: string;
  readonly issuer?: string;
  readonly state?: IssuanceState;
  readonly expiresBefore?: Date;
  readonly expiresAfter?: Date;
  /** 1 to 1000. */
  readonly limit: number;
  /** From the page before. */
  readonly pageToken?: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextPageToken?: string;
}

/**
 * The issued inventory. A promise that resolves means: durable, also after a power cut.
 * @throws CitadelError AlreadyExists for a serial recorded before; ResourceExhausted when the disk is full;
 *   Unavailable when the store cannot be reached.
 */
export interface IssuanceStore {
  recordIntent(intent: IssuanceIntent): Promise<void>;
  /** Once an intent. @throws CitadelError FailedPrecondition when there is no intent without a result. */
  recordResult(result: IssuanceResult): Promise<void>;
  get(serial: string): Promise<IssuanceRecord | undefined>;
  /** Newest first. */
  find(query: IssuanceQuery): Promise<Page<IssuanceRecord>>;
  /** Intents without a result that were recorded before `before`, oldest first, at most `limit`. */
  findUnresolved(before: Date, limit: number): Promise<readonly IssuanceIntent[]>;
  /** Live leaves (issued, not expired at `now`) by issuer and bundle version. */
  countLive(now: Date): Promise<readonly LiveLeafCount[]>;
  /** Each live leaf (issued, not expired at `now`), newest first. */
  liveLeaves(now: Date): Promise<readonly LiveLeaf[]>;
  /**
   * Each intent without a result whose certificate would not have ended at `now`: it may have been signed, and its holder may
   * have it before the store knows.
   */
  pendingLeaves(now: Date): Promise<readonly LiveLeaf[]>;
  /**
   * Notes that certificates may be out there that are on no record, for the store was set back: the last of them ends at
   * `until`.
   */
  noteUnrecorded(until: Date): Promise<void>;
  /** Until when such may be valid; undefined where nothing was ever noted. */
  unrecordedUntil(): Promise<Date | undefined>;
  /** Deletes records whose certificates ended before `before`. @returns how many */
  prune(before: Date): Promise<number>;
}

export interface LiveLeafCount {
  readonly issuer: string;
  readonly bundleVersion: string;
  readonly count: number;
  /** When the last of them ends. */
  readonly lastNotAfter: Date;
}

/** A certificate that is still valid, and what its holder was handed with it. */
export interface LiveLeaf
  extends Pick<
    IssuanceIntent,
    'serial' | 'spiffeId' | 'principal' | 'proxyKey' | 'issuer' | 'bundleVersion' | 'notAfter' | 'recordedAt'
  > {
  /** Whether an agent has reported by it; true also of those from before this was noted. */
  readonly reported: boolean;
}
