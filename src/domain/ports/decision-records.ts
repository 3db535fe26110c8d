import type { Page } from './issuance-store.ts';

/** What a record may tell of a call besides its workload and how it went. */
export type RecordedAttribute =
  | 'transport'
  | 'caller'
  | 'address'
  | 'port'
  | 'method'
  | 'path'
  | 'host'
  | 'serverName'
  | 'policy';

/**
 * Who said no: `policies` an AuthorizationPolicy that no provider speaks for, or a path that none can be compared with;
 * `token` the judgement of a token; `authorizer` a CUSTOM policy's provider; `connection` nobody was asked, because no
 * filter chain takes plaintext here or a handshake failed.
 */
export type RefusedBy = 'policies' | 'token' | 'authorizer' | 'connection';

/** Calls that were alike, as the callee's proxy told of them, within one period. */
export interface DecisionRecord {
  /** `<cluster>/<namespace>/<name>`: the workload that was called. */
  readonly workload: string;
  /** Of the workload that was called, by which its successors are known when it is gone; undefined: not known. */
  readonly serviceAccount: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** That the caller wanted; 0 where it is not kept. */
  readonly port: number;
  readonly transport: 'plaintext' | 'mtls' | 'other-tls';
  /** SPIFFE ID by the caller's certificate. */
  readonly caller: string | undefined;
  /** From which the calls came; none where they are not kept. */
  readonly addresses: readonly string[];
  readonly method: string | undefined;
  /** As policies compare it, without its query. */
  readonly path: string | undefined;
  /** The authority, as it came. */
  readonly host: string | undefined;
  /** Of the TLS handshake (SNI). */
  readonly serverName: string | undefined;
  readonly decision: 'allowed' | 'denied';
  /** Undefined for what was allowed. */
  readonly refusedBy: RefusedBy | undefined;
  /** `<namespace>/<name>` of the policy that decided, where the proxy named one; its rule counts from 0. */
  readonly policy: string | undefined;
  readonly rule: number | undefined;
  /** By which it was decided, as its proxy told (DecidedBy); undefined where it did not tell. */
  readonly rules?: string | undefined;
  /** Whether the calls stand for others that were not logged. */
  readonly sampled: boolean;
  /** What the calls had, or may have had, and is not kept. An attribute that is neither here nor there was not there. */
  readonly lacks: readonly RecordedAttribute[];
  /** Begin of the period in which they were counted. */
  readonly period: Date;
  /** When such a call was first and last told of within the period, by this server's clock. */
  readonly first: Date;
  readonly last: Date;
  readonly count: number;
}

export interface DecisionRecordQuery {
  /** `<cluster>/<namespace>/<name>`, any of these. */
  readonly workloads?: readonly string[];
  /** Those whose last call was then or later. */
  readonly since?: Date;
  /** From 1 to 1000. */
  readonly limit: number;
  readonly pageToken?: string;
}

/** What was forgotten for want of room before its time. */
export interface ForgottenDecisions {
  readonly calls: number;
  /** The newest of these. */
  readonly until: Date;
}

export interface DecisionRecordStore {
  /** Replaces those that say the same of the same period; one without calls is removed. All or none. */
  save(records: readonly DecisionRecord[]): Promise<void>;
  /** Newest first: by when a record was first saved. */
  find(query: DecisionRecordQuery): Promise<Page<DecisionRecord>>;
  /**
   * Forgets what was last seen before `before`, and of the rest, beyond `most` records, those of the oldest periods.
   * @returns how many are gone
   */
  prune(before: Date, most: number): Promise<number>;
  /** Undefined: nothing was ever forgotten for want of room. */
  forgotten(): Promise<ForgottenDecisions | undefined>;
}
