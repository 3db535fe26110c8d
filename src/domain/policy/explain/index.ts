export type { Attribute } from './attributes.ts';
export { type ExplainOptions, explain } from './explain.ts';
export type * from './model.ts';
