import { CitadelError } from '../../kernel/index.ts';

/** What a backup says of itself; the first entry of its archive. */
export interface BackupManifest {
  readonly createdAt: Date;
  readonly trustDomain: string;
  readonly serverId: string;
  /** Of the program that made it. */
  readonly programVersion: string;
  readonly files: readonly BackedUpFile[];
}

export interface BackedUpFile {
  /** Within the archive, as in `keys/issuing/NAME.key`. */
  readonly path: string;
  readonly bytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

export const manifestName = 'manifest.json';
/** Behind the manifest: a note of the maker's about it, and so about all that it names. */
export const noteName = 'manifest.note';
export const storeName = 'store.db';
export const serverIdName = 'server-id';
export const largestManifest = 4 * 1024 * 1024;
export const largestNote = 16 * 1024;

const format = 'citadel-backup';
const formatVersion = 1;
const pathForm = /^(?:store\.db|server-id|keys\/(?:root|former|issuing)\/[a-z0-9][a-z0-9-]{0,62}\.key)$/;
const hashForm = /^[0-9a-f]{64}$/;
const fields = ['format', 'version', 'createdAt', 'trustDomain', 'serverId', 'programVersion', 'files'];

export function encodeManifest(manifest: BackupManifest): Buffer {
  const { createdAt, ...more } = manifest;
  const document = { format, version: formatVersion, createdAt: createdAt.toISOString(), ...more };
  return Buffer.from(`${JSON.stringify(document, null, 2)}\n`);
}

/** @throws CitadelError DataLoss for what is no manifest of this format; FailedPrecondition for a later one */
export function readManifest(content: Uint8Array): BackupManifest {
  const document = object(parse(content));
  if (document['format'] !== format) throw damaged('it does not say that it is a backup of Citadel');
  if (document['version'] !== formatVersion)
    throw new CitadelError(
      'FailedPrecondition',
      `the backup has format version ${String(document['version'])}, this program reads ${formatVersion}: use the program that made it, or a later one`,
    );
  const unknown = Object.keys(document).find((name) => !fields.includes(name));
  if (unknown !== undefined) throw damaged('its manifest has an unknown field');
  const createdAt = new Date(text(document['createdAt']));
  if (Number.isNaN(createdAt.getTime())) throw damaged('its manifest has no time');
  const { files } = document;
  if (!Array.isArray(files)) throw damaged('its manifest has no list of files');
  const read = files.map(readFile);
  const paths = new Set(read.map(({ path }) => path));
  if (paths.size !== read.length) throw damaged('its manifest names a file twice');
  for (const needed of [storeName, serverIdName])
    if (!paths.has(needed)) throw damaged(`its manifest does not name ${needed}`);
  return {
    createdAt,
    trustDomain: text(document['trustDomain']),
    serverId: text(document['serverId']),
    programVersion: text(document['programVersion']),
    files: read,
  };
}

function readFile(entry: unknown): BackedUpFile {
  const { path, bytes, sha256 } = object(entry);
  if (typeof bytes !== 'number' || !Number.isSafeInteger(bytes) || bytes < 0)
    throw damaged('its manifest has a file without a size');
  if (!pathForm.test(text(path)) || !hashForm.test(text(sha256)))
    throw damaged('its manifest names a file that no backup has');
  return { path: text(path), bytes, sha256: text(sha256) };
}

function parse(content: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(content).toString('utf8'));
  } catch {
    throw damaged('its manifest is no JSON');
  }
}

function object(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw damaged('its manifest is damaged');
  return { ...value };
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw damaged('its manifest lacks a field');
  return value;
}

export function damaged(details: string): CitadelError {
  return new CitadelError('DataLoss', `the backup is damaged: ${details}`);
}
