export { type Asked, decideRotation } from './decide.ts';
export { type Gate, gateOf, type RotationEvidence } from './gate.ts';
export { planRotation } from './plan.ts';
export { findEndedRoot, replaceEndedRoot } from './recover.ts';
export {
  createRotationService,
  type RotationOrder,
  type RotationService,
  type RotationStatus,
} from './service.ts';
export { liveProxies, type Standing } from './standing.ts';
