import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The setting of keys on the disk, encrypted with a key in this directory: a new one, unless it has one already. */
export function diskKeys(directory: string) {
  const keyFile = join(directory, 'key-file');
  if (!existsSync(keyFile)) writeFileSync(keyFile, randomBytes(32), { mode: 0o600 });
  return { disk: { encryption: { keyFile } } };
}
