export type { Account } from './account.ts';
export { interposed } from './interposed.ts';
export type * from './model.ts';
export { isAccepted, type PortMode, type PortModeState, portModes } from './modes.ts';
export { callersSince, describePort, type Readiness, readiness, safeFrom } from './readiness.ts';
export { createEvidenceService, type EvidenceService } from './service.ts';
export { type MutualTlsStatus, mutualTlsStatus, noEvidence } from './status.ts';
