import { realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import {
  formatPolicies,
  formatPolicyProblem,
  type PolicyProblem,
  textFindings,
} from '../../domain/policy/index.ts';
import { CitadelError, describeError } from '../../kernel/index.ts';
import { ExitRequest, exitCodes } from '../exit-codes.ts';
import { type OutputOptions, withOutput } from '../options.ts';
import { printable, printRows } from '../output.ts';
import { warningLine } from '../policy-check/sections.ts';
import { type PolicyFile, readPolicyFiles } from '../policy-files.ts';

export const policyFilesHelp = 'files, directories with all below them, or - for standard input';

/** Adds `citadel policy lint` and `fmt`, which look at texts alone and ask no server. */
export function addTextCommands(policy: Command): void {
  addLint(policy);
  addFormat(policy);
}

function addLint(policy: Command): void {
  const command = policy
    .command('lint')
    .description(
      'judge files of policies and their tests, each policy by itself; asks no server; exit code 2 when one is broken, 0 when it is warned of',
    )
    .argument('<file...>', policyFilesHelp);
  withOutput(command).action(() => {
    const { output } = command.opts<OutputOptions>();
    const { files, unreadable } = readPolicyFiles(command.args);
    const findings = files.map(({ source, text }) => textFindings(text, source));
    const problems = [
      ...findings.flatMap((each) => each.problems),
      ...unreadable.map((message): PolicyProblem => ({ source: '', path: '', message })),
    ];
    const warnings = findings.flatMap((each) => each.warnings);
    if (output !== 'table') printRows([...problems, ...warnings], [], output);
    else {
      for (const problem of problems) process.stdout.write(`${problemLine(problem)}\n`);
      for (const warning of warnings) process.stdout.write(`warning: ${printable(warningLine(warning))}\n`);
    }
    if (problems.length > 0) throw new ExitRequest(exitCodes.broken);
  });
}

function problemLine(problem: PolicyProblem): string {
  return printable(problem.source === '' ? problem.message : formatPolicyProblem(problem));
}

function addFormat(policy: Command): void {
  const command = policy
    .command('fmt')
    .description('write files of policies in their one form, and name those that were in another')
    .argument('<file...>', `${policyFilesHelp}, which is written to standard output`)
    .option('--check', 'change nothing; exit code 1 when a file is not in that form');
  command.action(() => {
    const { check = false } = command.opts<{ readonly check?: boolean }>();
    const { files, unreadable } = readPolicyFiles(command.args);
    const outcomes = files.map((file) => formatFile(file, check));
    for (const line of unreadable) process.stderr.write(`${printable(line)}\n`);
    if (unreadable.length > 0 || outcomes.includes('broken')) throw new ExitRequest(exitCodes.broken);
    if (check && outcomes.includes('differs')) {
      process.stderr.write('not in the one form; citadel policy fmt writes it\n');
      throw new ExitRequest(exitCodes.warning);
    }
  });
}

function formatFile(
  { source, file, text: before }: PolicyFile,
  check: boolean,
): 'same' | 'differs' | 'broken' {
  const { text, problems } = formatPolicies(before, source);
  if (text === undefined) {
    for (const problem of problems) process.stderr.write(`${problemLine(problem)}\n`);
    return 'broken';
  }
  if (file === undefined && !check) process.stdout.write(text);
  if (text === before) return 'same';
  if (file !== undefined && !check) replaceFile(file, text);
  if (file !== undefined || check) process.stdout.write(`${source}\n`);
  return 'differs';
}

/** Whole or not at all; what a link points to, in the mode that it has. */
function replaceFile(link: string, text: string): void {
  const file = realpathSync(link);
  const draft = `${file}.${process.pid}.new`;
  try {
    writeFileSync(draft, text, { flag: 'wx', mode: statSync(file).mode & 0o7777 });
    renameSync(draft, file);
  } catch (cause) {
    rmSync(draft, { force: true });
    throw new CitadelError('FailedPrecondition', `cannot write ${link}: ${describeError(cause)}`, { cause });
  }
}
