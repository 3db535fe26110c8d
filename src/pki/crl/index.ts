export { type CrlEntry, type CrlOptions, createCrl, whyNoCrls } from './create.ts';
export { type ParsedCrl, readCrl } from './read.ts';
export { isRevocationReason, type RevocationReason } from './reasons.ts';
