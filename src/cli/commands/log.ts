import { type Command, Option } from 'commander';
import { formatProof, parseProof, verifyProof } from '../../domain/audit/index.ts';
import { OperatorServiceService as api, type CheckpointPlace } from '../../gen/citadel/v1/operator.ts';
import { CitadelError } from '../../kernel/index.ts';
import { readText } from '../connection.ts';
import type { OutputOptions } from '../options.ts';
import { formatTime, printRecord, printRows } from '../output.ts';
import { addLogAcceptCommand } from './log-accept.ts';
import { addLogVerifyCommand, keyOption, pinnedKey } from './log-verify.ts';
import { reading } from './reading.ts';

/** Adds `citadel log ...`: the audit record as evidence. */
export function addLogCommands(program: Command): void {
  const log = program
    .command('log')
    .description('the audit record as evidence: its hash tree, checkpoints, proofs');
  addShow(log);
  addProve(log);
  addCheck(log);
  addLogVerifyCommand(log);
  addLogAcceptCommand(log);
}

function addShow(log: Command): void {
  const show = log
    .command('show')
    .description('where the record stands, the key to pin, and what each place keeps')
    .addOption(
      new Option('--format <format>', 'print it alone: the key, or a checkpoint of now')
        .choices(['key', 'checkpoint'])
        .conflicts('output'),
    );
  reading(show, async (connection, { output }) => {
    const { format } = show.opts<{ readonly format?: 'key' | 'checkpoint' }>();
    const { size, root, key, checkpoint, places } = await connection.call(api.getAuditLog, {});
    if (format !== undefined) {
      process.stdout.write(format === 'key' ? `${key}\n` : checkpoint);
      return;
    }
    if (output !== 'table') {
      printRecord({ entries: size, root: root.toString('base64'), key, checkpoint, places }, output);
      return;
    }
    printRecord({ entries: size, root: root.toString('base64'), key }, output);
    process.stdout.write('\n');
    if (places.length === 0)
      process.stdout.write('no checkpoints are kept anywhere: configure audit.checkpoints\n');
    else printRows(places, placeColumns, output);
  });
}

const placeColumns = [
  { title: 'PLACE', value: (row: CheckpointPlace) => row.name },
  {
    title: 'SWORN TO',
    value: (row: CheckpointPlace) => (row.size === undefined ? 'unknown' : `${row.size}`),
  },
  {
    title: 'STATE',
    value: (row: CheckpointPlace) => (row.problem === '' ? 'ok' : row.disagrees ? 'disagrees' : 'away'),
  },
  { title: 'SINCE', value: (row: CheckpointPlace) => formatTime(row.since) },
  { title: 'WHY', value: (row: CheckpointPlace) => row.problem },
];

function addProve(log: Command): void {
  const prove = log
    .command('prove')
    .description('print a proof that an entry is in the record, or that a certificate was issued here')
    .argument('[sequence]', 'of the entry, as audit list -o json has it')
    .option('--serial <hex>', 'of a certificate');
  reading(prove, async (connection, { output }, sequence) => {
    const { serial = '' } = prove.opts<{ readonly serial?: string }>();
    if ((sequence === undefined) === (serial === ''))
      throw new CitadelError(
        'OutOfRange',
        'name one entry by its sequence number, or one certificate with --serial',
      );
    if (sequence !== undefined && !/^[1-9]\d{0,15}$/.test(sequence))
      throw new CitadelError('OutOfRange', `${sequence} is no sequence number`);
    const proof = await connection.call(api.proveAuditEntry, {
      sequence: BigInt(sequence ?? 0),
      serial: serial.replaceAll(':', '').toLowerCase(),
    });
    const number = Number(proof.sequence);
    if (output === 'table') process.stdout.write(formatProof({ ...proof, sequence: number }));
    else
      printRecord(
        {
          sequence: number,
          entry: proof.entry.toString('base64'),
          path: proof.path.map((hash) => hash.toString('base64')),
          checkpoint: proof.checkpoint,
        },
        output,
      );
  });
}

function addCheck(log: Command): void {
  const check = log
    .command('check-proof')
    .description('verify a proof by the pinned key, without a server, and show the entry')
    .argument('<file>', 'what log prove printed')
    .addOption(keyOption().makeOptionMandatory())
    .addOption(
      new Option('-o, --output <format>', 'output format')
        .choices(['table', 'json', 'yaml'])
        .default('table'),
    );
  check.action((file: string) => {
    const options = check.opts<OutputOptions & { readonly key: string }>();
    const proof = parseProof(readText(file, 'proof'));
    const { entry, checkpoint } = verifyProof(proof, pinnedKey(options.key));
    printRecord(
      {
        ...entry,
        provenBy: `${checkpoint.origin}, ${checkpoint.size} entries, ${formatTime(checkpoint.at)}`,
      },
      options.output,
    );
  });
}
