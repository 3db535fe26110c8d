import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SoftHsm } from '../parts/index.ts';

/** The setting of keys on this token, whose PIN is written into the directory. */
export function pkcs11Settings(hsm: SoftHsm, directory: string) {
  const file = join(directory, 'pin');
  writeFileSync(file, hsm.pin, { mode: 0o600 });
  return { module: hsm.module, token: { label: hsm.label }, pin: { file } };
}
