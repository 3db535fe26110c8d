export { createPolicyAnalysis } from './worker-client.ts';
