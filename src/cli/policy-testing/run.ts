import { coverageOf, runPolicyTest } from '../../domain/policy/index.ts';
import type { WorldOptions } from '../policy-world.ts';
import { judgeByEnvoy } from './envoy.ts';
import { type LoadedTests, loadTests } from './load.ts';
import type { TestReport } from './report.ts';

export interface TestedFiles {
  readonly report: TestReport;
  /** All that was read. */
  readonly paths: readonly string[];
}

/** Reads tests and runs them. @param given files and directories, as on the command line */
export async function runTests(
  given: readonly string[],
  { envoyBinary, ...options }: WorldOptions & { readonly envoyBinary?: string | undefined },
): Promise<TestedFiles> {
  const loaded = await loadTests(given, options);
  return { report: await reportOf(loaded, envoyBinary), paths: loaded.paths };
}

/** Runs the tests that there are among files, be there none. */
export async function testsOf(given: readonly string[], options: WorldOptions): Promise<TestReport> {
  return reportOf(await loadTests(given, options, { mayBeNone: true }));
}

/** @param envoy the program of one that decides the same calls; undefined: none does */
async function reportOf({ tests, problems, locate }: LoadedTests, envoy?: string): Promise<TestReport> {
  const runs = tests.map(({ test, world }) => ({ world, run: runPolicyTest(test, world, new Date()) }));
  const subjects = [...new Set(tests.flatMap((each) => each.subjects))];
  const coverage = coverageOf(
    subjects,
    runs.flatMap(({ run }) => run.asked),
  );
  const cases = [];
  let skipped = 0;
  for (const { run, world } of runs) {
    const judged = envoy === undefined ? { ...run, skipped: 0 } : await judgeByEnvoy(run, world, envoy);
    cases.push(...judged.cases);
    skipped += judged.skipped;
  }
  return { cases, coverage, problems, locate, ...(envoy === undefined ? {} : { skippedByEnvoy: skipped }) };
}
