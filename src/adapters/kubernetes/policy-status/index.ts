export { type PolicyStatusWriterOptions, writePolicyStatuses } from './writer.ts';
