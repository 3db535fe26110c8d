export type * from './model.ts';
export { StrictOrders } from './orders.ts';
export type { EnforcementPlan } from './plan.ts';
export type { EnforcementRequest, ScopeQuery } from './request.ts';
export { scopeText } from './scope.ts';
export {
  createEnforcementService,
  type EnforcementService,
  type RevertPlan,
  type RunStatus,
} from './service.ts';
