import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { type Command, Option } from 'commander';
import type { BackupFile, BackupReport } from '../../app/restore.ts';
import { OperatorServiceService as api } from '../../gen/citadel/v1/operator.ts';
import { CitadelError, describeError, Secret, systemErrorCode } from '../../kernel/index.ts';
import { confirm } from '../confirm.ts';
import { type ConnectionOptions, connectOperator, readText } from '../connection.ts';
import { type OutputOptions, withConnection, withOutput, withReason, withYes } from '../options.ts';
import { formatTime, printRecord, printRows } from '../output.ts';
import { keyOption, pinnedKey } from './log-verify.ts';

interface CreateOptions extends ConnectionOptions {
  readonly to: string;
  readonly reason: string;
}

interface OpenOptions extends OutputOptions {
  readonly identity: string;
  readonly key?: string;
}

interface RestoreOptions extends OpenOptions {
  readonly config: string;
  readonly yes?: boolean;
  readonly unproven?: boolean;
}

/** Adds `citadel backup ...`. */
export function addBackupCommands(program: Command): void {
  const backup = program.command('backup').description('all that a server keeps, encrypted, in one file');
  const create = backup
    .command('create')
    .description('make a backup of a running server, encrypted to its backup.recipients')
    .requiredOption('--to <file>', 'a new file');
  withConnection(withReason(create)).action(() => createFile(create.opts<CreateOptions>()));

  const keygen = backup
    .command('keygen')
    .description('make a key pair: the file opens backups, the printed recipient goes into the configuration')
    .requiredOption('--to <file>', 'a new file, to be kept offline');
  keygen.action(async () => {
    const { to } = keygen.opts<{ readonly to: string }>();
    const { generateBackupIdentity } = await import('../../app/restore.ts');
    const { identity, recipient } = await generateBackupIdentity();
    const file = createNew(to);
    file.write(Buffer.from(`# citadel backup, recipient: ${recipient}\n${identity.reveal()}\n`));
    file.keep();
    process.stdout.write(`${recipient}\n`);
  });

  const verify = withIdentity(
    backup.command('verify').description('open a backup and check all that is in it'),
  );
  withOutput(verify).action(async () => {
    const { output, ...opening } = verify.opts<OpenOptions>();
    const [file = ''] = verify.args;
    const { verifyBackup } = await import('../../app/restore.ts');
    printReport(await verifyBackup(backupFile(file, opening), tmpdir()), output);
  });

  const restore = withIdentity(
    backup
      .command('restore')
      .description('put a backup where a server of this configuration keeps its state'),
  ).addOption(new Option('--config <file>', 'of the server').env('CITADEL_CONFIG').makeOptionMandatory());
  restore.option('--unproven', 'also where nothing shows that no revocation is lost by it');
  withOutput(withYes(restore)).action(async () => {
    const { output, config: configFile, yes, unproven = false, ...opening } = restore.opts<RestoreOptions>();
    const [file = ''] = restore.args;
    const { loadServerConfig } = await import('../../app/config/index.ts');
    const config = loadServerConfig({ file: configFile, env: process.env });
    const { restoreBackup } = await import('../../app/restore.ts');
    await confirm(`Restores ${file} into ${config.dataDirectory}.`, yes);
    printReport(await restoreBackup(config, backupFile(file, opening), { unproven }), output);
  });
}

function withIdentity(command: Command): Command {
  return command
    .argument('<file>', 'the backup')
    .requiredOption('--identity <file>', 'the age identity that opens it')
    .addOption(keyOption());
}

function backupFile(file: string, { identity, key }: Pick<OpenOptions, 'identity' | 'key'>): BackupFile {
  if (key === undefined)
    process.stderr.write(
      'warning: nothing shows who made this backup, and whoever knows a recipient can make one: pin the audit record’s key with --key\n',
    );
  return {
    file,
    identities: new Secret(readText(identity, 'identity file')),
    maker: key === undefined ? undefined : pinnedKey(key),
  };
}

async function createFile({ to, reason, ...connecting }: CreateOptions): Promise<void> {
  const file = createNew(to);
  const connection = connectOperator(connecting);
  try {
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const { chunk } of connection.download(api.createBackup, { reason })) {
      file.write(chunk);
      hash.update(chunk);
      bytes += chunk.length;
    }
    file.keep();
    process.stdout.write(`${to}: ${bytes} bytes, sha256 ${hash.digest('hex')}\n`);
  } finally {
    file.discard();
    connection.close();
  }
}

/** A file that is there whole or not at all, and never in place of another. */
function createNew(path: string) {
  const partial = `${path}.${process.pid}.partial`;
  let descriptor: number | undefined;
  const translated = <T>(act: () => T): T => {
    try {
      return act();
    } catch (error) {
      const what =
        systemErrorCode(error) === 'EEXIST' ? 'is there already; name a new file' : describeError(error);
      throw new CitadelError('FailedPrecondition', `${path} ${what}`, { cause: error });
    }
  };
  descriptor = translated(() => openSync(partial, 'wx', 0o600));
  const close = () => {
    if (descriptor !== undefined) closeSync(descriptor);
    descriptor = undefined;
  };
  const discard = () => {
    close();
    rmSync(partial, { force: true });
  };
  return {
    write(bytes: Uint8Array) {
      translated(() => {
        for (let written = 0; written < bytes.length; )
          written += writeSync(descriptor ?? -1, bytes, written);
      });
    },
    keep() {
      translated(() => {
        if (descriptor !== undefined) fsyncSync(descriptor);
        close();
        linkSync(partial, path);
        const directory = openSync(dirname(path), 'r');
        fsyncSync(directory);
        closeSync(directory);
      });
      discard();
    },
    discard,
  };
}

function printReport(
  { manifest, authorities, liveCertificates }: BackupReport,
  output: OutputOptions['output'],
) {
  const { createdAt, trustDomain, serverId, programVersion, files } = manifest;
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const summary = {
    createdAt,
    trustDomain,
    serverId,
    programVersion,
    files: files.length,
    bytes,
    liveCertificates,
  };
  if (output !== 'table') return printRecord({ ...summary, authorities }, output);
  printRecord(summary, output);
  printRows(
    authorities,
    [
      { title: 'AUTHORITY', value: ({ id }) => id },
      { title: 'KIND', value: ({ kind }) => kind },
      { title: 'STATE', value: ({ state }) => state },
      {
        title: 'KEY',
        value: ({ keyIncluded, keyBackend }) =>
          keyIncluded ? 'in the backup' : `not in the backup (${keyBackend})`,
      },
      { title: 'ENDS', value: ({ notAfter }) => formatTime(notAfter) },
    ],
    output,
  );
}
