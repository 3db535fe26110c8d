import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { type DiskEncryption, openDiskKeyManager } from '../../src/adapters/keys/disk/index.ts';
import { Secret, silentLog } from '../../src/kernel/index.ts';
import { keyAlgorithms } from '../../src/pki/index.ts';
import { temporaryDirectory } from '../parts/temporary.ts';
import { type KeyHome, keyManagerContract } from './key-manager.ts';

async function diskHome(kind: DiskEncryption['kind']): Promise<KeyHome> {
  const parent = await temporaryDirectory('keys');
  const keyFile = parent.join('unlock');
  await writeFile(keyFile, randomBytes(32), { mode: 0o600 });
  const encryption: DiskEncryption =
    kind === 'passphrase'
      ? { kind, passphrase: new Secret('correct horse battery') }
      : { kind, path: keyFile };
  return {
    open: () => openDiskKeyManager({ directory: parent.join('keys'), encryption, log: silentLog }),
    [Symbol.asyncDispose]: () => parent[Symbol.asyncDispose](),
  };
}

for (const kind of ['passphrase', 'key-file'] as const) {
  keyManagerContract(`disk, by ${kind}`, () => diskHome(kind), {
    algorithms: keyAlgorithms,
    durable: true,
  });
}
