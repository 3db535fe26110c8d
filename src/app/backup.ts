import { copyFile, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackupSource } from '../adapters/backup/index.ts';
import type { AuditLog, StoreCopier } from '../domain/ports/index.ts';
import { CitadelError, type Clock, type Log, systemErrorCode, version } from '../kernel/index.ts';
import type { ServerConfig } from './config/index.ts';

export interface BackupServiceOptions {
  readonly config: ServerConfig;
  readonly serverId: string;
  readonly store: StoreCopier;
  readonly audit: AuditLog;
  /** Says, in a note, that this server made it. @param manifest of the backup */
  readonly sign: (manifest: Uint8Array) => Promise<string>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface BackupService {
  /**
   * All that the server keeps, encrypted to the recipients of the configuration, as it is read. The copy that it is read
   * from is removed at the end, or when the reader leaves.
   * @throws CitadelError FailedPrecondition where no recipient is configured; Aborted while another one is made
   */
  create(order: BackupOrder): AsyncIterable<Uint8Array>;
}

/** Who asks, by which proof, and why. */
export interface BackupOrder {
  readonly by: string;
  readonly proof: string;
  readonly reason: string;
}

const scratchPrefix = '.backup-';

/** @throws CitadelError FailedPrecondition for a recipient that nothing can be encrypted to */
export async function openBackups(options: BackupServiceOptions): Promise<BackupService> {
  const { config, serverId, audit, sign, clock, log } = options;
  const recipients = config.backup?.recipients ?? [];
  if (recipients.length > 0) {
    const { isRecipient } = await import('../adapters/backup/index.ts');
    const mistyped = recipients.find((recipient) => !isRecipient(recipient));
    if (mistyped !== undefined)
      throw new CitadelError('FailedPrecondition', `backup.recipients has one that is mistyped: ${mistyped}`);
  }
  await removeScratch(config.dataDirectory);
  let busy = false;

  /** All that happens is in here: a reader that never comes leaves nothing begun. */
  async function* create(order: BackupOrder): AsyncIterable<Uint8Array> {
    if (recipients.length === 0)
      throw new CitadelError(
        'FailedPrecondition',
        'no backup is made without a recipient: set backup.recipients in the server’s configuration (citadel backup keygen makes a key pair)',
      );
    if (busy) throw new CitadelError('Aborted', 'another backup is being made: wait for its end');
    busy = true;
    let scratch: string | undefined;
    try {
      const createdAt = clock.now();
      await audit.append({
        at: createdAt,
        action: 'backup.create',
        outcome: 'allowed',
        subject: order.by,
        proof: order.proof,
        target: `server-${serverId}`,
        reason: order.reason,
        details: { recipients: recipients.join(' ') },
      });
      const { writeBackup } = await import('../adapters/backup/index.ts');
      scratch = await mkdtemp(join(config.dataDirectory, scratchPrefix));
      const sources = await collect(options, scratch);
      const trustDomain = config.trustDomain.name;
      const described = { createdAt, trustDomain, serverId, programVersion: version };
      yield* await writeBackup({ ...described, sources, recipients, sign });
      log.info('a backup was made', { by: order.by, files: sources.length });
    } finally {
      busy = false;
      if (scratch !== undefined) await rm(scratch, { recursive: true, force: true });
    }
  }
  return { create };
}

/** Removes what a killed server left of a backup. */
async function removeScratch(dataDirectory: string): Promise<void> {
  const names = await readdir(dataDirectory);
  await Promise.all(
    names
      .filter((name) => name.startsWith(scratchPrefix))
      .map((name) => rm(join(dataDirectory, name), { recursive: true, force: true })),
  );
}

/** Copies everything to where it does not change any more. */
async function collect(
  { config, store }: BackupServiceOptions,
  scratch: string,
): Promise<readonly BackupSource[]> {
  const { serverIdName, storeName } = await import('../adapters/backup/index.ts');
  const copied = new Map<string, BackupSource>();
  const copyKeys = async () => {
    for (const [home, directory] of keyDirectories(config)) {
      for (const name of await keyFiles(directory)) {
        const path = `keys/${home}/${name}`;
        if (copied.has(path)) continue;
        const file = join(scratch, path);
        await mkdir(join(file, '..'), { recursive: true, mode: 0o700 });
        if (await copyIfThere(join(directory, name), file)) copied.set(path, { path, file });
      }
    }
  };
  // Before and after: a key that goes or comes meanwhile is there for whichever state the copy of the store has.
  await copyKeys();
  const storeFile = join(scratch, storeName);
  await store.copyTo(storeFile);
  await copyKeys();
  const serverIdFile = join(scratch, serverIdName);
  await copyFile(join(config.dataDirectory, serverIdName), serverIdFile);
  return [
    { path: serverIdName, file: serverIdFile },
    ...copied.values(),
    { path: storeName, file: storeFile },
  ];
}

/** Where each home keeps its keys; none for those that are not on this disk. Two may be one directory. */
export function keyDirectories(config: ServerConfig): ReadonlyMap<string, string> {
  const { keys: root, formerKeys: former, issuingKeys: issuing } = config;
  const directories = new Map<string, string>();
  for (const [name, home] of Object.entries({ root, former, issuing }))
    if (home?.kind === 'disk' && ![...directories.values()].includes(home.value.directory))
      directories.set(name, home.value.directory);
  return directories;
}

async function keyFiles(directory: string): Promise<readonly string[]> {
  try {
    return (await readdir(directory)).filter((name) => /^[a-z0-9][a-z0-9-]{0,62}\.key$/.test(name));
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

async function copyIfThere(from: string, to: string): Promise<boolean> {
  try {
    await copyFile(from, to);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false;
    throw error;
  }
}
