import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { CheckpointPlace } from '../../domain/ports/index.ts';
import { CitadelError, describeError, type Log, systemErrorCode } from '../../kernel/index.ts';
import { lastBlock } from './blocks.ts';

export interface CheckpointFileOptions {
  /** On another disk than the store, or one that is collected elsewhere; never within the data directory. */
  readonly path: string;
  readonly log: Log;
}

/** Far more than two notes. */
const tailBytes = 65_536;
/** More than one note: what is longer is not ours to take away. */
const longestTear = 16_384;
const flags = constants.O_RDWR | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * One note after the other in a file that only ever grows, each with an empty line behind it; each durable when `put`
 * resolves. The file may be made append-only for its owner too (`chattr +a`). It is opened anew for each call, so that it
 * may be moved away and begun again only together with its last note.
 */
export function createCheckpointFile({ path, log }: CheckpointFileOptions): CheckpointPlace {
  return {
    name: 'file',
    last: () => withFile(path, (handle) => readLast(handle, path, log)),
    put: (note, after) =>
      withFile(path, async (handle) => {
        if ((await readLast(handle, path, log)) !== after)
          throw new CitadelError('Aborted', 'another process writes to the file of checkpoints');
        await append(handle, Buffer.from(`${note}\n`));
      }),
    close: async () => {},
  };
}

/** Whole or not at all, unless the power goes in the midst of it. */
async function append(handle: FileHandle, bytes: Buffer): Promise<void> {
  const { size } = await handle.stat();
  try {
    // One call: what another process appends meanwhile is before or behind it.
    const { bytesWritten } = await handle.write(bytes);
    if (bytesWritten < bytes.length)
      throw new CitadelError(
        'ResourceExhausted',
        'the file of checkpoints has no room left: free disk space',
      );
    await handle.datasync();
  } catch (error) {
    await handle.truncate(size).catch(() => {});
    throw error;
  }
}

async function readLast(handle: FileHandle, path: string, log: Log): Promise<string | undefined> {
  const stats = await handle.stat();
  if (!stats.isFile())
    throw new CitadelError('FailedPrecondition', 'the place of checkpoints is no regular file', {
      details: path,
    });
  if ((stats.mode & 0o022) !== 0)
    throw new CitadelError('FailedPrecondition', 'the file of checkpoints can be written by other users', {
      details: `chmod go-w ${path}`,
    });
  if (stats.size === 0) return undefined;
  const from = Math.max(0, stats.size - tailBytes);
  const tail = Buffer.alloc(stats.size - from);
  const { bytesRead } = await handle.read(tail, 0, tail.length, from);
  const found = lastBlock(tail.subarray(0, bytesRead), from === 0);
  if (!found || found.torn > longestTear)
    throw new CitadelError('DataLoss', 'the file of checkpoints holds something else', { details: path });
  if (found.torn > 0) {
    log.warn('the last checkpoint in the file was cut off while it was written; taking it away', {
      bytes: found.torn,
    });
    await handle.truncate(stats.size - found.torn);
    await handle.sync();
  }
  return found.note;
}

async function withFile<T>(path: string, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  let handle: FileHandle | undefined;
  try {
    handle = await openOrCreate(path);
    return await use(handle);
  } catch (error) {
    if (error instanceof CitadelError) throw error;
    const code = systemErrorCode(error);
    const full = code === 'ENOSPC' || code === 'EDQUOT';
    throw new CitadelError(
      full ? 'ResourceExhausted' : 'Unavailable',
      full
        ? 'the file of checkpoints has no room left: free disk space'
        : 'the file of checkpoints cannot be read and written; give it back, to the user that the server runs as',
      { details: describeError(error), cause: error },
    );
  } finally {
    await handle?.close();
  }
}

async function openOrCreate(path: string): Promise<FileHandle> {
  try {
    return await open(path, flags);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
  // Whoever collects checkpoints may read them.
  const handle = await open(path, flags | constants.O_CREAT | constants.O_EXCL, 0o644);
  const directory = await open(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
  return handle;
}
