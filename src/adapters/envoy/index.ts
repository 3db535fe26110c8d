export { recordedDecision } from './authorization/index.ts';
export { createEnvoyRenderer } from './renderer.ts';
