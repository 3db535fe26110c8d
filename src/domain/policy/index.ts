export { canonicalPolicy, policyHash } from './canonical.ts';
export { formatPolicies } from './format.ts';
export { type LintRegistry, type LintWarning, lintPolicies } from './lint/index.ts';
export type * from './model.ts';
export * from './read/index.ts';
export { indexPolicies, mutualTlsModeOf, type PolicyIndex, policiesOf } from './select.ts';
