export { recordedDecision } from './authorization/decisions.ts';
export { createEnvoyRenderer } from './renderer.ts';
