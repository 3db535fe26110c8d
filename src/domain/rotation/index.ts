export { type BoardLine, type BoardQuery, boardOf, type RotationBoard, standings } from './board.ts';
export { type CanaryOrder, canaryChoice } from './canary.ts';
export { type Asked, decideRotation, rotationEffects } from './decide.ts';
export { type Gate, gateOf, type RotationEvidence } from './gate.ts';
export type { FindGivenRoot } from './given-root.ts';
export type { RotationOrder } from './order.ts';
export { planRotation } from './plan.ts';
export type { PlannedRoot, RotationPlan, WantedRoot } from './planning.ts';
export { findEndedRoot, recoveryPhases, replaceEndedRoot } from './recover.ts';
export {
  createRehearsal,
  type HandOut,
  type Rehearsal,
  type RehearsalReport,
  rehearsalActions,
} from './rehearse.ts';
export { decideSchedule, onSchedule, partLived, type RootSchedule } from './schedule.ts';
export { parseSelector } from './selector.ts';
export { createRotationService, type RotationService, type RotationStatus } from './service.ts';
export { type LiveProxy, leafStanding, liveProxies, type Standing } from './standing.ts';
export type { Unable } from './verifiers.ts';
