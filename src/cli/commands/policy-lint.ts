import type { Command } from 'commander';
import {
  formatPolicyProblem,
  type PolicyProblem,
  textProblems,
  withPolicies,
} from '../../domain/policy/index.ts';
import { ExitRequest, exitCodes } from '../exit-codes.ts';
import { type OutputOptions, withOutput } from '../options.ts';
import { printable, printRows } from '../output.ts';
import { warningLine } from '../policy-check/sections.ts';
import { sideOf } from '../policy-check/sides.ts';
import { warningExample, warningsOf } from '../policy-check/warnings.ts';
import { readPolicyFiles } from '../policy-files.ts';
import { problemLine } from '../policy-testing/report.ts';
import { givenWorld, type WorldOptions, withWorld } from '../policy-world.ts';
import { policyFilesHelp } from './policy-text.ts';

/** Adds `citadel policy lint`. */
export function addLint(policy: Command): void {
  const command = policy
    .command('lint')
    .description(
      'judge files of policies and their tests, by themselves or in a world that is named; exit code 2 when one is broken, 0 when it is warned of',
    )
    .argument('<file...>', policyFilesHelp);
  withWorld(withOutput(command)).action(async () => {
    const options = command.opts<OutputOptions & WorldOptions>();
    const { files, unreadable } = readPolicyFiles(command.args);
    const side = sideOf(files, unreadable);
    const problems = onceEach([
      ...files.flatMap(({ source, text }) => textProblems(text, source)),
      ...side.problems,
    ]);
    const world = await givenWorld(options);
    const warnings = warningsOf(side, world && withPolicies(world, side.policies), options);
    if (options.output !== 'table') printRows([...problems, ...warnings], [], options.output);
    else {
      const lines = [
        ...problems.map((problem) => problemLine(problem)),
        ...warnings.flatMap((warning) => [
          `warning: ${warningLine(warning)}`,
          ...[warningExample(warning, world !== undefined) ?? []].flat().map((line) => `  ${line}`),
        ]),
      ];
      for (const line of lines) process.stdout.write(`${printable(line)}\n`);
    }
    if (problems.length > 0) throw new ExitRequest(exitCodes.broken);
  });
}

/** What the readers of policies and of tests say of one file is one problem. */
function onceEach(problems: readonly PolicyProblem[]): readonly PolicyProblem[] {
  return [...new Map(problems.map((problem) => [formatPolicyProblem(problem), problem])).values()];
}
