import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Bundle, Identity } from '../identity/identity.ts';

/** The name of the link that programs read through: `current/tls.key` and so on. */
const currentLink = 'current';
const versionName = /^v-\d+-[0-9a-f]{8}$/;

interface PemFile {
  readonly name: string;
  readonly mode: number;
  readonly content: string;
}

function pemFiles(identity: Identity, bundle: Bundle): readonly PemFile[] {
  const key = identity.keyPem.reveal();
  return [
    { name: 'tls.key', mode: 0o600, content: key },
    { name: 'tls.crt', mode: 0o644, content: identity.chainPem },
    { name: 'ca.crt', mode: 0o644, content: bundle.pem },
    // For programs that want both in one file.
    { name: 'tls.pem', mode: 0o600, content: key + identity.chainPem },
  ];
}

/**
 * Writes key, chain and roots so that no reader ever sees those of two moments together: a new directory, complete and on
 * disk, then one rename of the link `current`. The directory before it stays for who has just opened it; older ones go.
 */
export async function writePemFiles(directory: string, identity: Identity, bundle: Bundle): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const version = `v-${Date.now()}-${randomBytes(4).toString('hex')}`;
  const previous = await readlink(join(directory, currentLink)).catch(() => undefined);
  await mkdir(join(directory, version), { mode: 0o755 });
  try {
    for (const { name, mode, content } of pemFiles(identity, bundle)) {
      await writeDurably(join(directory, version, name), content, mode);
    }
    await syncDirectory(join(directory, version));
    await swapLink(directory, version);
  } catch (error) {
    await rm(join(directory, version), { recursive: true, force: true });
    throw error;
  }
  await removeOld(directory, new Set([version, previous]));
}

async function writeDurably(path: string, content: string, mode: number): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  await using file = await open(path, flags, mode);
  // The umask has taken bits away; a reader that was promised 0644 gets it.
  await file.chmod(mode);
  await file.writeFile(content);
  await file.sync();
}

async function swapLink(directory: string, version: string): Promise<void> {
  const temporary = join(directory, `.${version}`);
  await symlink(version, temporary);
  await rename(temporary, join(directory, currentLink)).catch(async (error: unknown) => {
    await rm(temporary, { force: true });
    throw error;
  });
  await syncDirectory(directory);
}

async function syncDirectory(path: string): Promise<void> {
  await using handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  await handle.sync();
}

async function removeOld(directory: string, keep: ReadonlySet<string | undefined>): Promise<void> {
  for (const name of await readdir(directory)) {
    if (versionName.test(name) && !keep.has(name)) {
      await rm(join(directory, name), { recursive: true, force: true });
    } else if (name.startsWith('.') && versionName.test(name.slice(1))) {
      await rm(join(directory, name), { force: true });
    }
  }
}

/** The consumer's id in reports: the target, not its content. */
export function fileConsumerId(directory: string): string {
  return `file-${resolve(directory)}`;
}
