export type * from './model.ts';
export { mutualTlsModeOf, policiesOf } from './select.ts';
