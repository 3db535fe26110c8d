import { coverageOf, runPolicyTest } from '../../domain/policy/index.ts';
import type { WorldOptions } from '../policy-world.ts';
import { type LoadedTests, loadTests } from './load.ts';
import type { TestReport } from './report.ts';

export interface TestedFiles {
  readonly report: TestReport;
  /** All that was read. */
  readonly paths: readonly string[];
}

/** Reads tests and runs them. @param given files and directories, as on the command line */
export async function runTests(given: readonly string[], options: WorldOptions): Promise<TestedFiles> {
  const loaded = await loadTests(given, options);
  return { report: reportOf(loaded), paths: loaded.paths };
}

/** Runs the tests that there are among files, be there none. */
export async function testsOf(given: readonly string[], options: WorldOptions): Promise<TestReport> {
  return reportOf(await loadTests(given, options, { mayBeNone: true }));
}

function reportOf({ tests, problems, locate }: LoadedTests): TestReport {
  const runs = tests.map(({ test, world }) => runPolicyTest(test, world, new Date()));
  const subjects = [...new Set(tests.flatMap((each) => each.subjects))];
  const coverage = coverageOf(
    subjects,
    runs.flatMap(({ asked }) => asked),
  );
  return { cases: runs.flatMap(({ cases }) => cases), coverage, problems, locate };
}
