import { constants, type Stats } from 'node:fs';
import { link, lstat, mkdir, open, readdir, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { CitadelError, describeError, type Entropy, systemErrorCode } from '../../../kernel/index.ts';
import { isKeyId, keyIdTaken } from '../shared/index.ts';
import { largestKeyFile } from './format.ts';

const suffix = '.key';
const temporary = /^\.[a-z0-9-]+\.[0-9a-f]{16}\.tmp$/;

/**
 * The directory of key files: 0700, its files 0600, both our own. Refuses to read what others may have read or put there;
 * the message says what is wrong, the details name the command that mends it.
 */
export class KeyFiles {
  readonly #directory: string;
  readonly #entropy: Entropy;

  constructor(directory: string, entropy: Entropy) {
    this.#directory = directory;
    this.#entropy = entropy;
  }

  /** Makes the directory where there is none, and takes away what a crash left half written. */
  async prepare(): Promise<void> {
    await translated('the key directory cannot be used', async () => {
      await mkdir(this.#directory, { recursive: true, mode: 0o700 });
      await this.check();
      const names = await readdir(this.#directory);
      await Promise.all(
        names
          .filter((name) => temporary.test(name))
          .map((name) => rm(join(this.#directory, name), { force: true })),
      );
    });
  }

  /** Whether the directory is there and closed to others. */
  async check(): Promise<void> {
    const stats = await translated('the key directory cannot be used', () => lstat(this.#directory));
    if (!stats.isDirectory()) {
      throw new CitadelError('FailedPrecondition', 'the key directory is not a directory', {
        details: this.#directory,
      });
    }
    requirePrivate(stats, this.#directory, 'the key directory', '0700');
  }

  async ids(): Promise<string[]> {
    await this.check();
    const names = await translated('the key directory cannot be read', () => readdir(this.#directory));
    return names
      .filter((name) => name.endsWith(suffix))
      .map((name) => name.slice(0, -suffix.length))
      .filter(isKeyId)
      .sort();
  }

  /** The text of a key's file; undefined when there is none. */
  async read(id: string): Promise<string | undefined> {
    const path = this.#path(id);
    return await translated('a key file cannot be read', async () => {
      let handle;
      try {
        handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      } catch (error) {
        if (systemErrorCode(error) === 'ENOENT') return undefined;
        throw error;
      }
      try {
        const stats = await handle.stat();
        if (!stats.isFile()) throw notAKeyFile(path, 'it is not a regular file');
        if (stats.size > largestKeyFile) throw notAKeyFile(path, `it is larger than ${largestKeyFile} bytes`);
        requirePrivate(stats, path, 'a key file', '0600');
        return await handle.readFile('utf8');
      } finally {
        await handle.close();
      }
    });
  }

  /**
   * Writes a new key's file: durable when this resolves, whole or not at all. A link takes the name where a rename would
   * replace what has it.
   * @throws CitadelError AlreadyExists
   */
  async create(id: string, text: string): Promise<void> {
    const suffixed = Buffer.from(this.#entropy.bytes(8)).toString('hex');
    const scratch = join(this.#directory, `.${id}.${suffixed}.tmp`);
    await translated('the key cannot be written', async () => {
      try {
        const handle = await open(scratch, 'wx', 0o600);
        try {
          await handle.writeFile(text);
          await handle.sync();
        } finally {
          await handle.close();
        }
        await link(scratch, this.#path(id)).catch((error: unknown) => {
          throw systemErrorCode(error) === 'EEXIST' ? keyIdTaken() : error;
        });
      } finally {
        await rm(scratch, { force: true });
      }
      await this.#sync();
    });
  }

  async remove(id: string): Promise<void> {
    await translated('the key cannot be removed', async () => {
      await unlink(this.#path(id)).catch((error: unknown) => {
        if (systemErrorCode(error) !== 'ENOENT') throw error;
      });
      await this.#sync();
    });
  }

  async #sync(): Promise<void> {
    const handle = await open(this.#directory, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  #path(id: string): string {
    return join(this.#directory, id + suffix);
  }
}

function requirePrivate(stats: Stats, path: string, what: string, mode: '0600' | '0700'): void {
  const owner = process.geteuid?.();
  if (owner !== undefined && stats.uid !== owner) {
    throw new CitadelError('FailedPrecondition', `${what} belongs to another user`, {
      details: `chown ${owner} ${quoted(path)}`,
    });
  }
  if ((stats.mode & 0o077) !== 0) {
    throw new CitadelError('FailedPrecondition', `${what} is open to other users; its mode must be ${mode}`, {
      details: `chmod ${mode} ${quoted(path)}`,
    });
  }
}

/** A path as a shell takes it. */
export function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}

function notAKeyFile(path: string, why: string): CitadelError {
  return new CitadelError('DataLoss', 'a key file is damaged; restore it from a backup', {
    details: `${path}: ${why}`,
  });
}

/** Runs a file operation; an error of the system becomes one of ours, its path in the details alone. */
export async function translated<T>(problem: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    if (error instanceof CitadelError) throw error;
    const full = systemErrorCode(error) === 'ENOSPC' || systemErrorCode(error) === 'EDQUOT';
    throw new CitadelError(
      full ? 'ResourceExhausted' : 'FailedPrecondition',
      full ? `${problem}: the disk is full` : problem,
      { details: describeError(error), cause: error },
    );
  }
}
