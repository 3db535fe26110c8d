export { type ExplanationWords, explanationWords } from './explanation.ts';
export { quoted } from './rule.ts';
