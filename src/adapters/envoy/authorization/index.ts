export type { AuthorizationContext } from './context.ts';
export { type RecordedDecision, recordedDecision } from './decisions.ts';
export {
  type HttpAuthorizationFilter,
  httpFilterConfig,
  type NetworkAuthorizationFilter,
  networkFilterConfig,
} from './filters.ts';
export { httpAuthorization } from './http.ts';
export type { JwksOf } from './jwt.ts';
export { decisionMarker } from './marks.ts';
export { rbacHttpNamespace, rbacNetworkNamespace } from './names.ts';
export { networkAuthorization } from './network.ts';
export { pathSettings } from './paths.ts';
export { recordedShadow, type ShadowStep, shadowDenials, shadowKey } from './shadow.ts';
export { prefix, present, stringValue } from './strings.ts';
