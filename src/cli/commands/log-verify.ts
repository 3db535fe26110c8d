import { createReadStream } from 'node:fs';
import { type Command, Option } from 'commander';
import {
  collectSworn,
  type NoteKey,
  parseNoteKey,
  type ReadEntries,
  readNotes,
  type Sworn,
  type Verdict,
  verifyRecord,
} from '../../domain/audit/index.ts';
import { OperatorServiceService as api } from '../../gen/citadel/v1/operator.ts';
import { CitadelError, describeError } from '../../kernel/index.ts';
import { type ConnectionOptions, connectOperator } from '../connection.ts';
import { ExitRequest, exitCodes } from '../exit-codes.ts';
import { type OutputOptions, withConnection, withOutput } from '../options.ts';
import { formatTime, printable, printRecord } from '../output.ts';

interface VerifyOptions extends ConnectionOptions, OutputOptions {
  readonly key?: string;
  readonly checkpoints?: readonly string[];
  readonly store?: string;
}

const pageSize = 1000;

export function keyOption(): Option {
  return new Option('--key <key>', 'of the record, pinned: as log show --format key printed it').env(
    'CITADEL_AUDIT_KEY',
  );
}

/** @throws CitadelError OutOfRange */
export function pinnedKey(text: string): NoteKey {
  try {
    return parseNoteKey(text.trim());
  } catch (error) {
    throw new CitadelError('OutOfRange', describeError(error));
  }
}

/** Adds `citadel log verify`. */
export function addLogVerifyCommand(log: Command): void {
  const command = log
    .command('verify')
    .description(
      'recompute the whole record and hold it against its checkpoints; exit code 0 fine, 1 warning, 2 broken',
    )
    .addOption(keyOption())
    .addOption(
      new Option('--checkpoints <file>', 'kept outside of the store; may be given more than once').argParser(
        (file: string, files: readonly string[] | undefined) => [...(files ?? []), file],
      ),
    )
    .option('--store <file>', 'of a stopped server, or a copy, in place of asking a server');
  withOutput(withConnection(command)).action(async () => {
    const options = command.opts<VerifyOptions>();
    const { verdict, sworn, warnings } = await (options.store === undefined
      ? verifyServer(options)
      : verifyStore(options, options.store));
    const told = [...warnings, ...warningsOf(verdict, sworn)];
    print(verdict, sworn, told, options.output);
    if (verdict.faults.length > 0) throw new ExitRequest(exitCodes.broken);
    if (told.length > 0) throw new ExitRequest(exitCodes.warning);
  });
}

interface Verified {
  readonly verdict: Verdict;
  readonly sworn: Sworn | undefined;
  readonly warnings: readonly string[];
}

async function verifyServer(options: VerifyOptions): Promise<Verified> {
  const connection = connectOperator(options);
  try {
    const { key: named, checkpoint } = await connection.call(api.getAuditLog, {});
    const key = pinnedKey(options.key ?? named);
    const sources = [...filesOf(options), { name: 'the server', notes: [checkpoint] }];
    const sworn = await collectSworn(sources, key);
    const read: ReadEntries = async (after) => {
      const { entries } = await connection.call(api.listAuditEntries, { after: BigInt(after), pageSize });
      return entries.map((each) => ({ ...each, sequence: Number(each.sequence) }));
    };
    // What is appended while it is read is sworn to by the next checkpoint: no cause for a warning.
    return {
      verdict: await verifyRecord(read, sworn),
      sworn,
      warnings: [...pinWarning(options), ...outsideWarning(options)],
    };
  } finally {
    connection.close();
  }
}

async function verifyStore(options: VerifyOptions, file: string): Promise<Verified> {
  const { openStoredRecord } = await import('../../app/index.ts');
  const record = await openStoredRecord(file);
  try {
    const hasCheckpoints = (options.checkpoints ?? []).length > 0;
    if (hasCheckpoints && options.key === undefined)
      throw new CitadelError('OutOfRange', 'checkpoints are believed by their key alone: pin it with --key');
    const sworn =
      options.key === undefined ? undefined : await collectSworn(filesOf(options), pinnedKey(options.key));
    const verdict = await verifyRecord((after) => record.entries(after, pageSize), sworn);
    const unsworn = hasCheckpoints && verdict.faults.length === 0 && verdict.sworn < verdict.verified;
    return {
      verdict,
      sworn,
      warnings: [
        ...outsideWarning(options),
        ...(unsworn
          ? [`no checkpoint swears to entries ${verdict.sworn + 1} to ${verdict.verified}, at the end`]
          : []),
      ],
    };
  } finally {
    record.close();
  }
}

function filesOf({ checkpoints = [] }: VerifyOptions) {
  return checkpoints.map((name) => ({ name, notes: readNotes(textOf(name)) }));
}

async function* textOf(file: string): AsyncGenerator<string> {
  try {
    for await (const chunk of createReadStream(file, { encoding: 'utf8' })) yield String(chunk);
  } catch (cause) {
    throw new CitadelError('FailedPrecondition', `the checkpoints cannot be read: ${describeError(cause)}`, {
      cause,
    });
  }
}

function pinWarning({ key }: VerifyOptions): string[] {
  return key === undefined
    ? [
        'the key is the one that the server named: pin it with --key, or whoever rewrote the record may have signed it',
      ]
    : [];
}

function outsideWarning({ checkpoints = [] }: VerifyOptions): string[] {
  return checkpoints.length === 0
    ? ['no --checkpoints were given: a cut end, or a record that was rewritten as a whole, does not show']
    : [];
}

function warningsOf({ faults }: Verdict, sworn: Sworn | undefined): string[] {
  if (faults.length > 0 || !sworn) return [];
  return sworn.abandoned.map(
    ({ abandoned, at, size }) =>
      `on ${formatTime(at)} an operator took an older store in place of one of ${abandoned?.size} entries; ` +
      `entry ${size} or one before it says who and why: citadel audit list --action audit.accept`,
  );
}

function print(
  verdict: Verdict,
  sworn: Sworn | undefined,
  warnings: readonly string[],
  output: OutputOptions['output'],
): void {
  const { verified, root, sworn: upTo, faults } = verdict;
  const state = faults.length > 0 ? 'broken' : warnings.length > 0 ? 'warning' : 'ok';
  const checkpoints = sworn?.count ?? 0;
  if (output !== 'table') {
    printRecord({ state, verified, sworn: upTo, checkpoints, root, faults, warnings }, output);
    return;
  }
  printRecord(
    {
      record: faults.length > 0 ? `BROKEN: ${faults[0]?.what ?? ''}` : 'every entry is as it was recorded',
      verified: `${verified} entries`,
      'sworn to': `${upTo} entries, by ${checkpoints} checkpoints`,
      ...(root === '' ? {} : { root }),
    },
    output,
  );
  for (const { kind, what } of faults) process.stdout.write(`${printable(`${kind}: ${what}`)}\n`);
  for (const warning of warnings) process.stderr.write(`warning: ${printable(warning)}\n`);
}
