import { createHash } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Decrypter } from 'age-encryption';
import { createTarDecoder } from 'modern-tar';
import { CitadelError, describeError, readAtMost, type Secret } from '../../kernel/index.ts';
import {
  type BackedUpFile,
  type BackupManifest,
  damaged,
  largestManifest,
  largestNote,
  manifestName,
  noteName,
  readManifest,
} from './manifest.ts';

/** Lines of an identity file that say something: `AGE-SECRET-KEY-1...`. */
const identityForm = /^AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]+$/;

/** What a backup says of itself, and its maker's note about that: nobody has verified it. */
export interface UnpackedBackup {
  readonly manifest: BackupManifest;
  /** As the note is about them. */
  readonly manifestBytes: Uint8Array;
  readonly note: string;
}

/**
 * Decrypts a backup into an empty directory, each file checked against the manifest. What is in the directory after a
 * failure is worth nothing.
 * @param identities an age identity file's text
 * @throws CitadelError Unauthenticated where none of the identities opens it; DataLoss where anything in it is not as the
 *   manifest says
 */
export async function unpackBackup(
  sealed: ReadableStream<Uint8Array>,
  identities: Secret<string>,
  directory: string,
): Promise<UnpackedBackup> {
  const archive = await decrypt(sealed, identities);
  try {
    return await unpack(archive, directory);
  } catch (error) {
    // The libraries tell of a cut or changed stream by errors of their own.
    throw error instanceof CitadelError ? error : damaged(describeError(error));
  }
}

async function decrypt(
  sealed: ReadableStream<Uint8Array>,
  identities: Secret<string>,
): Promise<ReadableStream<Uint8Array>> {
  const decrypter = new Decrypter();
  const lines = identities.reveal().split('\n');
  const found = lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
  if (found.length === 0 || !found.every((line) => identityForm.test(line)))
    throw new CitadelError(
      'InvalidArgument',
      'the identity file is none of age: each line must begin with AGE-SECRET-KEY-1, or with #',
    );
  try {
    for (const identity of found) decrypter.addIdentity(identity);
    return await decrypter.decrypt(sealed);
  } catch (error) {
    const reason = describeError(error);
    if (/no identity matched/i.test(reason))
      throw new CitadelError('Unauthenticated', 'the backup is encrypted to others: no identity opens it');
    // Never the library's own words: they may quote a line of the identity file.
    throw damaged('it is no age file, or its header was changed');
  }
}

async function unpack(archive: ReadableStream<Uint8Array>, directory: string): Promise<UnpackedBackup> {
  let manifestBytes: Uint8Array | undefined;
  let manifest: BackupManifest | undefined;
  let note: string | undefined;
  const missing = new Map<string, BackedUpFile>();
  for await (const { header, body } of archive.pipeThrough(createTarDecoder({ strict: true }))) {
    if (header.type !== undefined && header.type !== 'file') throw damaged('it has more than files in it');
    if (manifest === undefined) {
      if (header.name !== manifestName || header.size > largestManifest)
        throw damaged('it does not begin with its manifest');
      manifestBytes = (await readAtMost(body, largestManifest)) ?? Buffer.alloc(0);
      manifest = readManifest(manifestBytes);
      for (const file of manifest.files) missing.set(file.path, file);
      continue;
    }
    if (note === undefined) {
      if (header.name !== noteName || header.size > largestNote) throw damaged('it lacks its maker’s note');
      note = Buffer.from((await readAtMost(body, largestNote)) ?? '').toString('utf8');
      continue;
    }
    const expected = missing.get(header.name);
    if (!expected) throw damaged('it has a file that its manifest does not name');
    missing.delete(header.name);
    await writeChecked(join(directory, header.name), body, expected);
  }
  if (manifest === undefined || manifestBytes === undefined || note === undefined)
    throw damaged('it is empty');
  const [first] = missing.keys();
  if (first !== undefined) throw damaged(`${first} is missing`);
  return { manifest, manifestBytes, note };
}

async function writeChecked(
  path: string,
  body: ReadableStream<Uint8Array>,
  { path: name, bytes, sha256 }: BackedUpFile,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const handle = await open(path, 'wx', 0o600);
  try {
    const hash = createHash('sha256');
    let length = 0;
    for await (const chunk of body) {
      length += chunk.length;
      if (length > bytes) break;
      hash.update(chunk);
      await handle.appendFile(chunk);
    }
    if (length !== bytes || hash.digest('hex') !== sha256)
      throw damaged(`${name} is not as its manifest says`);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
