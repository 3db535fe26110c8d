import type { Account, PortEvidence } from '../evidence/index.ts';

/** What must outlive the server of what is known about one workload's callers. */
export interface StoredEvidence {
  readonly workload: string;
  readonly account: Account;
  readonly ports: ReadonlyMap<number, PortEvidence>;
  readonly updatedAt: Date;
}

export interface EvidenceStore {
  /** Replaces what was known of these workloads, all in one. */
  save(evidence: readonly StoredEvidence[]): Promise<void>;
  list(): Promise<readonly StoredEvidence[]>;
  /** Forgets workloads of which nothing was heard since `before`. @returns how many */
  prune(before: Date): Promise<number>;
}
