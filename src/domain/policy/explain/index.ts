export type { RequestAttribute } from './attributes.ts';
export * from './call/index.ts';
export { type ExplainOptions, explain } from './explain.ts';
export type * from './model.ts';
export { findingOf, type RuleComparison } from './rule.ts';
export { beforeTokens } from './steps.ts';
export { type ExplanationWords, explanationWords, quoted } from './words/index.ts';
