export { createDenials, type Denials } from './denials.ts';
export { type DenialRecord, denialCaller } from './model.ts';
export { RecentDenials } from './recent.ts';
