export type * from './model.ts';
export * from './read/index.ts';
export { mutualTlsModeOf, policiesOf } from './select.ts';
