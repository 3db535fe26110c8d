export type * from './model.ts';
export * from './read/index.ts';
export { indexPolicies, mutualTlsModeOf, type PolicyIndex, policiesOf } from './select.ts';
