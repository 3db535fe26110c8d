import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { Encrypter } from 'age-encryption';
import { createTarPacker } from 'modern-tar';
import {
  type BackedUpFile,
  type BackupManifest,
  encodeManifest,
  manifestName,
  noteName,
} from './manifest.ts';

/** A file that is to be in the backup, and where it is now. It must not change any more. */
export interface BackupSource {
  /** Within the archive. */
  readonly path: string;
  readonly file: string;
}

export interface BackupOptions extends Omit<BackupManifest, 'files'> {
  readonly sources: readonly BackupSource[];
  /** Whoever may read it: `age1...`. */
  readonly recipients: readonly string[];
  /** Whoever knows a recipient can encrypt to it: the note says that this server has made it. @param manifest its bytes */
  readonly sign: (manifest: Uint8Array) => Promise<string>;
}

/**
 * A backup as it is read: a tar archive, encrypted to the recipients (age-encryption.org/v1), so that the common tools
 * open it where this program is not at hand.
 */
export async function writeBackup(options: BackupOptions): Promise<AsyncIterable<Uint8Array>> {
  const { sources, recipients, sign, ...described } = options;
  const files: BackedUpFile[] = [];
  for (const { path, file } of sources) files.push({ path, ...(await measure(file)) });
  const { readable, controller } = createTarPacker();
  const manifest = encodeManifest({ ...described, files });
  const heads = [
    { name: manifestName, content: manifest },
    { name: noteName, content: Buffer.from(await sign(manifest)) },
  ];
  const packed = pack(controller, heads, sources, files, options.createdAt);
  packed.catch((error: unknown) => controller.error(error));
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return encrypter.encrypt(readable);
}

type Packer = ReturnType<typeof createTarPacker>['controller'];

async function pack(
  packer: Packer,
  heads: readonly { readonly name: string; readonly content: Buffer }[],
  sources: readonly BackupSource[],
  files: readonly BackedUpFile[],
  mtime: Date,
): Promise<void> {
  const add = (name: string, size: number) => packer.add({ name, size, mode: 0o600, mtime });
  for (const { name, content } of heads) {
    const writer = add(name, content.length).getWriter();
    await writer.write(content);
    await writer.close();
  }
  for (const [index, { path, file }] of sources.entries())
    await Readable.toWeb(createReadStream(file)).pipeTo(add(path, files[index]?.bytes ?? 0));
  packer.finalize();
}

async function measure(file: string): Promise<Pick<BackedUpFile, 'bytes' | 'sha256'>> {
  const handle = await open(file);
  try {
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of handle.createReadStream({ autoClose: false })) {
      const part: Uint8Array = chunk;
      hash.update(part);
      bytes += part.length;
    }
    return { bytes, sha256: hash.digest('hex') };
  } finally {
    await handle.close();
  }
}
