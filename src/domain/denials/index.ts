export { createDenials, type DenialRecord, type Denials, withDenials } from './denials.ts';
