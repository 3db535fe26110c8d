import { createReadStream } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import {
  type BackupManifest,
  serverIdName,
  storeName,
  type UnpackedBackup,
  unpackBackup,
} from '../adapters/backup/index.ts';
import { openSqliteStore } from '../adapters/store/sqlite/index.ts';
import { describeStanding, losesRevocations, type NoteKey, requireMaker } from '../domain/audit/index.ts';
import type { AuthorityRecord, Store } from '../domain/ports/index.ts';
import { CitadelError, type Secret, silentLog, systemClock, systemErrorCode } from '../kernel/index.ts';
import { lastOfUnrecorded, openStoppedServer } from './audit-offline.ts';
import { keyDirectories } from './backup.ts';
import type { ServerConfig } from './config/index.ts';

export interface BackupFile {
  readonly file: string;
  /** The text of an age identity file. */
  readonly identities: Secret<string>;
  /** Of the audit record of the server that must have made it; undefined: whoever has. */
  readonly maker: NoteKey | undefined;
}

/** What is in a backup, all of it read and checked. */
export interface BackupReport {
  readonly manifest: BackupManifest;
  readonly authorities: readonly (Pick<
    AuthorityRecord,
    'id' | 'kind' | 'state' | 'keyBackend' | 'notAfter'
  > & {
    /** Whether its key is in the backup; one in Vault never is. */
    readonly keyIncluded: boolean;
  })[];
  /** Certificates that were valid when it was made. */
  readonly liveCertificates: number;
}

/**
 * Reads a whole backup, and opens the store in it.
 * @throws CitadelError DataLoss where it is damaged, or of another maker
 * @param below a directory on whose disk there is room for all of it, decrypted; nothing is left there
 */
export async function verifyBackup(backup: BackupFile, below: string): Promise<BackupReport> {
  return unpacked(backup, below, report);
}

/**
 * Puts a backup where the configuration says that a server keeps its state. Nothing of another server is replaced. It writes
 * no entry of its own: what was sworn to is compared with what was recorded, and who accepts the difference is on record.
 * @param unproven also where nothing shows that no revocation is lost
 * @throws CitadelError FailedPrecondition where there is a state already, the backup is of another trust domain, or
 *   something may have been taken back since it was made
 */
export async function restoreBackup(
  config: ServerConfig,
  backup: BackupFile,
  { unproven }: { readonly unproven: boolean },
): Promise<BackupReport> {
  await mkdir(config.dataDirectory, { recursive: true, mode: 0o700 });
  return unpacked(backup, config.dataDirectory, async (directory, manifest) => {
    const found = await report(directory, manifest);
    if (manifest.trustDomain !== config.trustDomain.name)
      throw new CitadelError(
        'FailedPrecondition',
        `the backup is of the trust domain ${manifest.trustDomain}, the configuration names ${config.trustDomain.name}`,
      );
    const moves = destinations(config, directory, manifest);
    await requireNothingThere(config);
    if (!unproven) await requireNothingTakenBack(config, directory);
    // A rotation must not take those for gone whom the store has forgotten.
    await inStore(directory, ({ issuance }) => issuance.noteUnrecorded(lastOfUnrecorded(config)));
    // The store last: a server that finds no store would begin a new one, and say that it finds keys of another.
    for (const { from, to } of moves) await moveInto(from, to);
    return found;
  });
}

async function unpacked<T>(
  { file, identities, maker }: BackupFile,
  below: string,
  use: (directory: string, manifest: BackupManifest) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(below, '.backup-'));
  try {
    const sealed = Readable.toWeb(createReadStream(file));
    const { manifest, manifestBytes, note }: UnpackedBackup = await unpackBackup(
      sealed,
      identities,
      directory,
    );
    // Before anything in it is opened.
    if (maker) requireMaker(manifestBytes, note, maker);
    return await use(directory, manifest);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT')
      throw new CitadelError('FailedPrecondition', `there is no backup ${file}`, { cause: error });
    throw error;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The store that was unpacked; opening it checks all of it. */
async function inStore<T>(directory: string, use: (store: Store) => Promise<T>): Promise<T> {
  const file = join(directory, storeName);
  const store = await openSqliteStore({ file, clock: systemClock, log: silentLog });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

function report(directory: string, manifest: BackupManifest): Promise<BackupReport> {
  return inStore(directory, async (store) => {
    const keys = new Set(manifest.files.map(({ path }) => path.split('/').at(-1)));
    const authorities = await store.authorities.list();
    return {
      manifest,
      authorities: authorities.map(({ id, kind, state, keyBackend, keyId, notAfter }) => ({
        id,
        kind,
        state,
        keyBackend,
        notAfter,
        keyIncluded: keys.has(`${keyId}.key`),
      })),
      liveCertificates: (await store.issuance.liveLeaves(manifest.createdAt)).length,
    };
  });
}

interface Move {
  readonly from: string;
  readonly to: string;
}

/** Keys first, the store last. */
function destinations(config: ServerConfig, directory: string, { files }: BackupManifest): readonly Move[] {
  const homes = keyDirectories(config);
  const keys = files.flatMap(({ path }): Move[] => {
    const [kind, home = '', name = ''] = path.split('/');
    if (kind !== 'keys') return [];
    const to = homes.get(home);
    if (to === undefined)
      throw new CitadelError(
        'FailedPrecondition',
        `the backup has keys of ${homeFields[home] ?? home} on disk, and the configuration has that home elsewhere: restore with the configuration that the server had`,
      );
    return [{ from: join(directory, path), to: join(to, name) }];
  });
  return [
    ...keys,
    { from: join(directory, serverIdName), to: join(config.dataDirectory, serverIdName) },
    { from: join(directory, storeName), to: config.store.value.file },
  ];
}

const homeFields: Readonly<Record<string, string>> = {
  root: 'keys',
  former: 'formerKeys',
  issuing: 'issuingKeys',
};

async function requireNothingThere(config: ServerConfig): Promise<void> {
  const { file } = config.store.value;
  const places = [
    file,
    `${file}-wal`,
    join(config.dataDirectory, serverIdName),
    ...keyDirectories(config).values(),
  ];
  for (const place of places)
    if (await hasContent(place))
      throw new CitadelError(
        'FailedPrecondition',
        `${place} is there already: a backup is restored where no server has been; move the old state away first`,
      );
}

async function hasContent(path: string): Promise<boolean> {
  try {
    return (await readdir(path)).length > 0;
  } catch (error) {
    return systemErrorCode(error) !== 'ENOENT';
  }
}

/**
 * A backup knows nothing of what was revoked after it. What was sworn to outside of the store does.
 * @throws CitadelError FailedPrecondition
 */
async function requireNothingTakenBack(config: ServerConfig, directory: string): Promise<void> {
  const { standings } = await lookAtStaged(config, directory);
  const losing = standings.filter(({ standing }) => losesRevocations(standing));
  const known = standings.some(({ standing }) => standing.kind === 'behind' || standing.kind === 'follows');
  if (known && losing.length === 0) return;
  const why =
    losing.length > 0
      ? losing.map(({ place, standing }) => `${place}: ${describeStanding(standing)}`).join('; ')
      : 'no place of audit.checkpoints says what was decided after it';
  throw new CitadelError(
    'FailedPrecondition',
    `what was revoked since the backup was made would be good again: ${why}. Find a newer backup; or restore with --unproven, and revoke it again`,
  );
}

/** The unpacked state as a stopped server's, where it lies. */
async function lookAtStaged(config: ServerConfig, directory: string) {
  const { issuingKeys } = config;
  const home =
    issuingKeys.kind === 'disk'
      ? [...keyDirectories(config)].find(([, place]) => place === issuingKeys.value.directory)?.[0]
      : undefined;
  await using server = await openStoppedServer(
    {
      ...config,
      dataDirectory: directory,
      store: { kind: 'sqlite', value: { file: join(directory, storeName) } },
      issuingKeys:
        issuingKeys.kind === 'disk' && home !== undefined
          ? { kind: 'disk', value: { ...issuingKeys.value, directory: join(directory, 'keys', home) } }
          : issuingKeys,
    },
    silentLog,
  );
  return { standings: server.standings };
}

async function moveInto(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  await chmod(from, 0o600);
  await rename(from, to);
}

export { generateBackupIdentity } from '../adapters/backup/index.ts';
