import type { AdoptionStore } from './adoption-store.ts';
import type { AuditLog } from './audit-log.ts';
import type { AuthorityStore } from './authority-store.ts';
import type { DecisionRecordStore } from './decision-records.ts';
import type { DenialStore } from './denial-store.ts';
import type { DrainStore } from './drain-store.ts';
import type { EnforcementStore } from './enforcement-store.ts';
import type { EvidenceStore } from './evidence-store.ts';
import type { IssuanceStore } from './issuance-store.ts';
import type { OperatorStore } from './operator-store.ts';
import type { PolicyStore } from './policy-store.ts';
import type { RevocationStore } from './revocation-store.ts';
import type { RotationStore } from './rotation-store.ts';
import type { ShadowStore } from './shadow-store.ts';

/** Everything that must outlive the process. */
export interface Store {
  readonly issuance: IssuanceStore;
  readonly authorities: AuthorityStore;
  readonly audit: AuditLog;
  readonly adoption: AdoptionStore;
  readonly evidence: EvidenceStore;
  readonly decisions: DecisionRecordStore;
  readonly denials: DenialStore;
  readonly drains: DrainStore;
  readonly enforcement: EnforcementStore;
  readonly operators: OperatorStore;
  readonly policies: PolicyStore;
  readonly rotations: RotationStore;
  readonly revocations: RevocationStore;
  readonly shadows: ShadowStore;
  /** Resolves when a write would succeed. */
  check(): Promise<void>;
  /** Waits for what was begun. */
  close(): Promise<void>;
}

/** A store that can be copied while it is in use. */
export interface StoreCopier {
  /**
   * Writes all of it, as it is at one moment, into a new file.
   * @throws CitadelError Unavailable when the store is closed meanwhile; ResourceExhausted when the disk is full
   */
  copyTo(file: string): Promise<void>;
}
