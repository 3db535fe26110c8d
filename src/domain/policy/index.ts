export { canonicalPolicy, policyHash } from './canonical.ts';
export { formatPolicies } from './format.ts';
export type * from './model.ts';
export * from './read/index.ts';
export { indexPolicies, mutualTlsModeOf, type PolicyIndex, policiesOf } from './select.ts';
export {
  createPolicyService,
  type PolicyAuthor,
  type PolicyChangeRequest,
  type PolicyEffect,
  type PolicyPlan,
  type PolicyService,
} from './service.ts';
export { createStoredPolicySource, type StoredPolicySource } from './stored-source.ts';
