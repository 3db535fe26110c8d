export type { RevocationEnforcement } from './enforcement.ts';
export { type CrlEvidence, takesCrls, waitsForCrl } from './gate.ts';
export { type RevocationReport, reportRevocation, type UnenforcedAt } from './report.ts';
export {
  createRevoke,
  type RevocationImpact,
  type RevocationOrder,
  type RevocationTarget,
  type RevokeCertificates,
} from './revoke.ts';
export {
  type AuthorityRevocationOrder,
  createRevokeAuthority,
  type RevokeAuthority,
} from './revoke-authority.ts';
export {
  createRevocationService,
  type RevocationService,
  type RevocationStatus,
  type Revoked,
} from './service.ts';
export { trustWithCrls } from './trust.ts';
