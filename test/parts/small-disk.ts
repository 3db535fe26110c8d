import { execFileSync } from 'node:child_process';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from './temporary.ts';

/** A file system of its own, in memory, that can be filled. Needs root: see canMount. */
export interface SmallDisk extends AsyncDisposable {
  readonly path: string;
  /** Takes all room but this many octets. */
  fill(leave: number): void;
  /** Gives back what `fill` took. */
  free(): void;
}

/** @param size octets */
export async function smallDisk(size: number): Promise<SmallDisk> {
  const directory = await temporaryDirectory('disk');
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'citadel-test', directory.path]);
  const ballast = join(directory.path, 'ballast');
  return {
    path: directory.path,
    fill(leave) {
      const { bavail, bsize } = statfsSync(directory.path);
      writeFileSync(ballast, Buffer.alloc(bavail * bsize - leave));
    },
    free: () => rmSync(ballast, { force: true }),
    async [Symbol.asyncDispose]() {
      execFileSync('umount', [directory.path]);
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** Whether this process may mount a file system. */
export function canMount(): boolean {
  if (process.platform !== 'linux' || process.geteuid?.() !== 0) return false;
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'citadel-test', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
