import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string;
  /** A path inside. */
  join(...segments: string[]): string;
}

const alive = new Set<string>();
process.once('exit', () => {
  for (const path of alive) rmSync(path, { recursive: true, force: true });
});

/**
 * A new directory, mode 0700, deleted on dispose or at the end of the process. Its path is short, because a Unix socket's
 * path has 107 bytes at most.
 */
export async function temporaryDirectory(label = 'test'): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), `citadel-${label}-`));
  alive.add(path);
  return {
    path,
    join: (...segments) => join(path, ...segments),
    async [Symbol.asyncDispose]() {
      // A program that is just being stopped may still write: deleting is tried again while the directory fills.
      await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
      alive.delete(path);
    },
  };
}
