export { evaluate, type ReplayedDecision, type ReplayStep } from './evaluate.ts';
export type { ReplayExample, ReplayGroup, ReplayReport, Tally, UndecidedGroup } from './model.ts';
export { replay } from './replay.ts';
export { calleeName, callerName, decisionWords } from './report.ts';
