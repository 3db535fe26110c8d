import type { DenialRecord } from '../denials/index.ts';
import type { Page } from './issuance-store.ts';

/** Whose denials: the last so many of each of these are kept. */
export interface DenialLimits {
  /** Of those that have proved who they are, and of all others: neither pushes out the other. */
  readonly inAll: number;
  /** The same, of one workload. */
  readonly perWorkload: number;
  /** Of one caller at one workload. */
  readonly perCaller: number;
}

export interface DenialQuery {
  /** `<cluster>/<namespace>/<name>` of a workload, or `<namespace>/<name>` of it or of its service account. */
  readonly to?: string;
  /** A SPIFFE ID, `<namespace>/<service account>` of any trust domain, or an address; empty: who has shown no certificate. */
  readonly from?: string;
  /** Those that were told of then or later. */
  readonly since?: Date;
  /** From 1 to 1000. */
  readonly limit: number;
  readonly pageToken?: string;
}

/** Denials by their names, so that each server can tell of those that another one was told of. */
export interface DenialStore {
  /** One whose name is known already stays as it is. What is more than the limits goes, the oldest first. All or none. */
  save(records: readonly DenialRecord[], limits: DenialLimits): Promise<void>;
  get(id: string): Promise<DenialRecord | undefined>;
  /** Newest first: by when they were saved. */
  find(query: DenialQuery): Promise<Page<DenialRecord>>;
  /** Forgets what was told of before `before`. @returns how many are gone */
  prune(before: Date): Promise<number>;
}
