export { type DecisionIdentity, decisionKey } from './identity.ts';
export { createDecisionRecorder, type DecisionRecorder } from './recorder.ts';
