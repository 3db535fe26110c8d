export { type Account, newAccount } from './account.ts';
export type * from './model.ts';
export type { PortMode } from './modes.ts';
export { type Readiness, readiness } from './readiness.ts';
export { createEvidenceService, type EvidenceService } from './service.ts';
export { type MutualTlsStatus, mutualTlsStatus } from './status.ts';
