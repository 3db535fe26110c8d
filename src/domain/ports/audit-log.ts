import type { Page } from './issuance-store.ts';

export type AuditOutcome = 'allowed' | 'refused' | 'failed';

/** Who did what, by which proof, with which outcome and why. Holds no token and no key. */
export interface AuditEvent {
  readonly at: Date;
  /** For example `certificate.issue`, `operator.enrol`, `authority.create`. */
  readonly action: string;
  readonly outcome: AuditOutcome;
  /** Who: a principal, `operator:NAME`, `unauthenticated`, `server`. */
  readonly subject: string;
  /** By which proof: `kubernetes-token`, `client-certificate`, `oidc`, `local-socket`, `one-time-credential`, `data-directory`, `none`. */
  readonly proof: string;
  /** What: a SPIFFE ID, a serial, an authority's id. */
  readonly target: string;
  readonly reason: string;
  readonly details: Readonly<Record<string, string>>;
}

export interface RecordedAuditEvent extends AuditEvent {
  /** Grows without gaps. */
  readonly sequence: number;
}

export interface AuditQuery {
  readonly action?: string;
  readonly subject?: string;
  readonly after?: Date;
  readonly limit: number;
  readonly pageToken?: string;
}

/** An entry as it is kept, for whoever judges it: nothing of it has been believed. */
export interface StoredAuditEntry {
  readonly sequence: number;
  /** As `encodeEntry` writes it; empty where a part of it is not of its type. */
  readonly entry: Uint8Array;
  /** The hashes that are kept with it: its leaf's, then those of the subtrees that end with it. */
  readonly hashes: Uint8Array;
}

/** How many entries there are, and the root of the hash tree over them (RFC 9162, section 2.1). */
export interface TreeHead {
  readonly size: number;
  readonly root: Uint8Array;
}

/** Append-only, each entry a leaf of one hash tree. */
export interface AuditLog {
  /** Durable, and in the tree, when it resolves. */
  append(event: AuditEvent): Promise<void>;
  /** Newest first. */
  find(query: AuditQuery): Promise<Page<RecordedAuditEvent>>;
  head(): Promise<TreeHead>;
  /** The root over the first `size` entries. @throws CitadelError OutOfRange where there are fewer */
  rootAt(size: number): Promise<Uint8Array>;
  /**
   * That entry `sequence` is among the first `size`: RFC 9162, section 2.1.3.
   * @throws CitadelError OutOfRange where it is not
   */
  inclusion(sequence: number, size: number): Promise<readonly Uint8Array[]>;
  /** The entry that says that the certificate was issued, recorded from `from` to `until`. */
  findIssued(serial: string, from: Date, until: Date): Promise<number | undefined>;
  /** What is kept, oldest first, behind the sequence number `after`; at most `limit`, 1 to 1000. */
  entries(after: number, limit: number): Promise<readonly StoredAuditEntry[]>;
}
