import { realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { formatPolicies } from '../../domain/policy/index.ts';
import { CitadelError, describeError } from '../../kernel/index.ts';
import { ExitRequest, exitCodes } from '../exit-codes.ts';
import { printable } from '../output.ts';
import { type PolicyFile, readPolicyFiles } from '../policy-files.ts';
import { problemLine } from '../policy-testing/report.ts';

export const policyFilesHelp = 'files, directories with all below them, or - for standard input';

/** Adds `citadel policy fmt`. */
export function addFormat(policy: Command): void {
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
    for (const problem of problems) process.stderr.write(`${printable(problemLine(problem))}\n`);
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
