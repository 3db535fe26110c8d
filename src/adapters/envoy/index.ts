export { decisionMarker, recordedDecision, recordedShadow } from './authorization/index.ts';
export { createEnvoyRenderer } from './renderer.ts';
