import type { Account, PortEvidence } from '../evidence/index.ts';

/** What must outlive the server of what is known about one workload's callers. */
export interface StoredEvidence {
  readonly workload: string;
  readonly account: Account;
  readonly ports: ReadonlyMap<number, PortEvidence>;
  /** When something was last heard of it. */
  readonly updatedAt: Date;
}

export interface EvidenceStore {
  /** Replaces what was known of these workloads, all in one. */
  save(evidence: readonly StoredEvidence[]): Promise<void>;
  list(): Promise<readonly StoredEvidence[]>;
  /** Forgets these workloads. */
  remove(workloads: readonly string[]): Promise<void>;
}
