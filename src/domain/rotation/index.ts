export { decideRotation, type RotationAction, type RotationEffect } from './decide.ts';
export { type Gate, gateOf, type RotationEvidence } from './gate.ts';
export {
  createRotationService,
  type RotationOrder,
  type RotationService,
  type RotationServiceOptions,
  type RotationStatus,
} from './service.ts';
export {
  bundleStanding,
  type LiveProxy,
  leafStanding,
  liveProxies,
  type ProxyStanding,
  type Standing,
} from './standing.ts';
