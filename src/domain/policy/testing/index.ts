export {
  type CoverageUnit,
  coverageOf,
  coveredPercent,
  describeUnit,
  type PolicyCoverage,
} from './coverage.ts';
export type { PolicyTest, TestCase, TestSettings } from './model.ts';
export type { Asked } from './outcome.ts';
export { type ProposedTests, proposeTests } from './propose.ts';
export { type PolicyTestReading, readPolicyTests } from './read.ts';
export { type CaseResult, type MadeCall, runPolicyTest, type TestRun } from './run.ts';
export { policyTestShape } from './schema.ts';
