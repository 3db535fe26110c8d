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
  /** By which proof: `kubernetes-token`, `client-certificate`, `oidc`, `local-socket`, `one-time-credential`, `none`. */
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

export interface AuditLog {
  /** Durable when it resolves. */
  append(event: AuditEvent): Promise<void>;
  /** Newest first. */
  find(query: AuditQuery): Promise<Page<RecordedAuditEvent>>;
}
