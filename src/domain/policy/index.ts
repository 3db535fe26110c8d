export { canonicalPolicy, policyHash } from './canonical.ts';
export { formatPolicies } from './format.ts';
export type * from './model.ts';
export * from './read/index.ts';
export { indexPolicies, mutualTlsModeOf, type PolicyIndex, policiesOf } from './select.ts';
