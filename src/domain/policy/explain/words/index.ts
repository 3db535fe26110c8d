export { type ExplanationWords, explanationWords } from './explanation.ts';
