export { calleeFinder } from './callee.ts';
export type { ReplayedDecision, ReplayStep } from './evaluate.ts';
export type { ReplayExample, ReplayGroup, ReplayReport, Tally, UndecidedGroup } from './model.ts';
export { replay } from './replay.ts';
export { callerName } from './report.ts';
export { stableLabels } from './stable-labels.ts';
export { requestWords, sampleWords } from './words.ts';
