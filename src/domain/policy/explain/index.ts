export type { Attribute as CallAttribute } from './attributes.ts';
export * from './call/index.ts';
export { type ExplainOptions, explain } from './explain.ts';
export type * from './model.ts';
export { type Comparison as RuleComparison, findingOf } from './rule.ts';
export { beforeTokens } from './steps.ts';
