export {
  type ControlPlane,
  type ControlPlaneOptions,
  createControlPlane,
  type MeshProblem,
} from './control-plane.ts';
export { debounce } from './debounce.ts';
export { KeptContent, type KeptContentOptions } from './kept.ts';
export type * from './model.ts';
export type { PolicyStatus } from './policy-status.ts';
export type { ProxyResourceState, ProxyState } from './proxy-tracker.ts';
export * from './read/index.ts';
export type { ShadowStanding } from './shadow-standing.ts';
export { decides } from './shadows.ts';
export { sourceProblems } from './source-problems.ts';
export { anyOtherPort } from './undeclared.ts';
export type { EndpointView, InboundPort, ProxyView, ServicePortView, ServiceView } from './view.ts';
