export { type ControlPlane, type ControlPlaneOptions, createControlPlane } from './control-plane.ts';
export { debounce } from './debounce.ts';
export { KeptContent, type KeptContentOptions } from './kept.ts';
export type * from './model.ts';
export type { PolicyStatus } from './policy-status.ts';
export type { ProxyResourceState, ProxyState } from './proxy-tracker.ts';
export * from './read/index.ts';
export { anyOtherPort } from './undeclared.ts';
export {
  type EndpointView,
  type InboundPort,
  type ProxyView,
  type ServicePortView,
  type ServiceView,
  sameKeySets,
} from './view.ts';
