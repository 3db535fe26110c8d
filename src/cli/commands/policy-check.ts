import { type Command, InvalidArgumentError } from 'commander';
import { dnsLabel, policyKeyOf } from '../../domain/policy/index.ts';
import { ExitRequest, exitCodes } from '../exit-codes.ts';
import { type OutputOptions, withOutput } from '../options.ts';
import { printRecord } from '../output.ts';
import { checkExitCode, type FindingKind, findingKinds } from '../policy-check/exit-code.ts';
import { type CheckOptions, type Findings, gather, type PolicyComparison } from '../policy-check/gather.ts';
import { checkMarkdown, checkText } from '../policy-check/render.ts';
import { reportValue } from '../policy-testing/report.ts';
import { withWorld } from '../policy-world.ts';
import { writeReport } from './policy-test.ts';
import { policyFilesHelp } from './policy-text.ts';

type Options = CheckOptions &
  OutputOptions & { readonly markdown?: string; readonly failOn: readonly FindingKind[] };

const codesHelp = `
Exit codes, of several findings the first of these:
  2  problems   a file is broken
  3  tests      a test fails
  6  undecided  it cannot be told whether calls are decided otherwise
  4  allowed    calls become allowed
  5  denied     calls become denied
  1  warnings   something is legal, and surely not meant`;

/** Adds `citadel policy check`. */
export function addPolicyCheck(policy: Command): void {
  const command = policy
    .command('check')
    .description('all that can be said of files of policies before they hold: for a pipeline')
    .argument('<file...>', policyFilesHelp)
    .option(
      '--against <side>',
      'also what they decide otherwise than live, or than a file, a directory, git:REF or git:REF:DIRECTORY; git:REF... is where HEAD parted from REF',
    )
    .option(
      '--base <side>',
      'with --against live: what the change started from; of what it has and the files have not it is told that it goes',
    )
    .option('--all', 'with --against live: the files are all there is; whatever else is live goes')
    .option('--all-in <namespaces>', 'likewise, of these namespaces alone; with commas', namespacesOf)
    .option('--markdown <file>', 'write a summary for a pull request there')
    .option(
      '--fail-on <kinds>',
      'of findings that the exit code tells; others are told alone',
      kindsOf,
      findingKinds,
    )
    .addHelpText('after', codesHelp);
  withWorld(withOutput(command)).action(async () => {
    const options = command.opts<Options>();
    const findings = await gather(command.args, options);
    if (options.markdown !== undefined) writeReport(options.markdown, checkMarkdown(findings));
    if (options.output === 'table') process.stdout.write(checkText(findings));
    else printRecord(valueOf(findings), options.output);
    const exitCode = checkExitCode(findings, options.failOn);
    if (exitCode !== exitCodes.ok) throw new ExitRequest(exitCode);
  });
}

function valueOf({ problems, warnings, tests, comparison }: Findings): Readonly<Record<string, unknown>> {
  return {
    problems,
    warnings,
    tests: reportValue(tests),
    comparison: comparison ? comparisonValue(comparison) : null,
  };
}

function comparisonValue({ removals, ...comparison }: PolicyComparison): Readonly<Record<string, unknown>> {
  return {
    ...comparison,
    removals: removals.map(({ policy, effect }) => ({
      policy: policyKeyOf(policy),
      at: policy.meta.origin,
      ...(effect && { outcome: effect.outcome, differences: effect.differences }),
    })),
  };
}

function namespacesOf(text: string): readonly string[] {
  const names = text.split(',');
  const wrong = names.find((name) => !dnsLabel.test(name));
  if (wrong === undefined) return names;
  throw new InvalidArgumentError(
    `${JSON.stringify(wrong)} is no name of a namespace; write them with commas`,
  );
}

function kindsOf(text: string): readonly FindingKind[] {
  const given = text.split(',');
  const unknown = given.find((each) => !findingKinds.some((kind) => kind === each));
  if (unknown !== undefined)
    throw new InvalidArgumentError(
      `${unknown} is none of ${findingKinds.join(', ')}; write them with commas`,
    );
  return findingKinds.filter((kind) => given.includes(kind));
}
