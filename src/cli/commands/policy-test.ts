import { writeFileSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { coveredPercent } from '../../domain/policy/index.ts';
import { CitadelError, describeError } from '../../kernel/index.ts';
import { ExitRequest, exitCodes } from '../exit-codes.ts';
import { type OutputOptions, withOutput } from '../options.ts';
import { printRecord } from '../output.ts';
import { withRecords } from '../policy-records.ts';
import { junitText, tapText } from '../policy-testing/formats.ts';
import { failedCases, reportText, reportValue, type TestReport } from '../policy-testing/report.ts';
import { runTests } from '../policy-testing/run.ts';
import { watchFiles } from '../policy-testing/watch.ts';
import { withWorld } from '../policy-world.ts';
import { type InitOptions, initTests } from './policy-test-init.ts';

interface TestOptions extends InitOptions, OutputOptions {
  readonly init?: boolean;
  readonly junit?: string;
  readonly tap?: boolean;
  readonly watch?: boolean;
  readonly minCoverage?: number;
  readonly envoy?: boolean;
  readonly envoyBinary: string;
}

/** Adds `citadel policy test`. */
export function addPolicyTest(policy: Command): void {
  const command = policy
    .command('test')
    .description('run tests of policies; exit code 3 when a case fails, 2 when a file is broken')
    .argument('[file...]', 'files with documents of kind PolicyTest, or directories')
    .option('--junit <file>', 'write the results there too, as JUnit XML')
    .addOption(new Option('--tap', 'print the Test Anything Protocol').conflicts('output'))
    .option('--min-coverage <percent>', 'exit code 1 where less of the policies is exercised', percent)
    .option('--envoy', 'have a real Envoy decide the same calls; what it decides otherwise fails')
    .option('--envoy-binary <file>', 'its program', 'envoy')
    .option('--watch', 'run again whenever a file changes')
    .option('--init', 'run none: print tests that say what was recorded of calls to a callee')
    .option('--to <callee>', 'with --init: a workload or a service, as shop/orders');
  withRecords(withWorld(withOutput(command))).action(async () => {
    const options = command.opts<TestOptions>();
    if (options.init === true) return initTests(options);
    if (command.args.length === 0)
      throw new CitadelError('OutOfRange', 'name the files with tests, or give --init to have some proposed');
    const { envoy, envoyBinary, ...rest } = options;
    const tested = { ...rest, ...(envoy === true ? { envoyBinary } : {}) };
    if (options.watch === true) {
      await watchFiles(async () => {
        const { report, paths } = await runTests(command.args, tested);
        print(report, options);
        return paths;
      });
      return;
    }
    const { report } = await runTests(command.args, tested);
    print(report, options);
    const exitCode = exitCodeOf(report, options);
    if (exitCode !== exitCodes.ok) throw new ExitRequest(exitCode);
  });
}

function print(report: TestReport, { output, junit, tap }: TestOptions): void {
  if (junit !== undefined) writeReport(junit, junitText(report));
  if (tap === true) process.stdout.write(tapText(report));
  else if (output === 'table') process.stdout.write(reportText(report));
  else printRecord(reportValue(report), output);
}

function exitCodeOf(report: TestReport, { minCoverage = 0 }: TestOptions): number {
  if (report.problems.length > 0) return exitCodes.broken;
  if (failedCases(report).length > 0) return exitCodes.testFailed;
  if (coveredPercent(report.coverage) >= minCoverage) return exitCodes.ok;
  process.stderr.write(`Less than ${minCoverage}% is exercised.\n`);
  return exitCodes.warning;
}

/** @throws CitadelError FailedPrecondition where it cannot be written */
export function writeReport(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (cause) {
    throw new CitadelError('FailedPrecondition', `cannot write ${file}: ${describeError(cause)}`, { cause });
  }
}

function percent(text: string): number {
  if (/^\d{1,3}$/.test(text) && Number(text) <= 100) return Number(text);
  throw new InvalidArgumentError('must be from 0 to 100');
}
