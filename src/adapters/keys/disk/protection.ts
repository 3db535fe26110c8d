import { randomBytes, scrypt } from 'node:crypto';
import { open } from 'node:fs/promises';
import { CitadelError, Secret } from '../../../kernel/index.ts';
import { quoted, translated } from './files.ts';
import type { KeyDerivation } from './format.ts';

export type DiskEncryption =
  | { readonly kind: 'passphrase'; readonly passphrase: Secret<string> }
  /** A file of exactly 32 random bytes: `(umask 077; head -c 32 /dev/urandom > FILE)`. */
  | { readonly kind: 'key-file'; readonly path: string };

/** Where the secret comes from that key files are sealed under. */
export interface Protection {
  /** How the secret of a new file is derived where no file of the directory sets an example. */
  readonly newDerivation: KeyDerivation;
  /** @throws CitadelError FailedPrecondition when the file was sealed with the other kind of protection */
  derive(derivation: KeyDerivation): Promise<Secret<Buffer>>;
}

const keyFileLength = 32;
const shortestPassphrase = 8;

export async function openProtection(encryption: DiskEncryption): Promise<Protection> {
  return encryption.kind === 'passphrase'
    ? passphraseProtection(encryption.passphrase)
    : await keyFileProtection(encryption.path);
}

function passphraseProtection(passphrase: Secret<string>): Protection {
  if (passphrase.reveal().length < shortestPassphrase) {
    throw new CitadelError(
      'InvalidArgument',
      `the passphrase of the key directory must have at least ${shortestPassphrase} characters`,
    );
  }
  // A derivation takes a tenth of a second by design; keys of one directory share a salt, so that one is enough.
  const derived = new Map<string, Promise<Secret<Buffer>>>();
  return {
    // OWASP's figures for scrypt: as costly as N=2^17 with p=1, in a quarter of the memory (32 MiB).
    newDerivation: { kind: 'scrypt', cost: 2 ** 15, blockSize: 8, parallelization: 3, salt: randomBytes(16) },
    async derive(derivation) {
      if (derivation.kind !== 'scrypt') throw otherProtection('a key file');
      const { cost, blockSize, parallelization, salt } = derivation;
      const name = [cost, blockSize, parallelization, salt.toString('base64')].join(' ');
      const known = derived.get(name) ?? runScrypt(passphrase, derivation);
      derived.set(name, known);
      return await known;
    },
  };
}

function runScrypt(
  passphrase: Secret<string>,
  { cost, blockSize, parallelization, salt }: KeyDerivation & { kind: 'scrypt' },
): Promise<Secret<Buffer>> {
  const maxmem = 128 * blockSize * (cost + parallelization) + 1024 * 1024;
  const options = { cost, blockSize, parallelization, maxmem };
  return new Promise((resolve, reject) => {
    scrypt(passphrase.reveal().normalize('NFKC'), salt, 32, options, (error, key) => {
      if (error) reject(error);
      else resolve(new Secret(key));
    });
  });
}

async function keyFileProtection(path: string): Promise<Protection> {
  const secret = await translated('the key file that unlocks the key directory cannot be read', () =>
    readSecretFile(path),
  );
  return {
    newDerivation: { kind: 'key-file' },
    async derive(derivation) {
      if (derivation.kind !== 'key-file') throw otherProtection('a passphrase');
      return secret;
    },
  };
}

async function readSecretFile(path: string): Promise<Secret<Buffer>> {
  // Links are followed: a secret that Kubernetes mounts is one.
  const handle = await open(path, 'r');
  try {
    const stats = await handle.stat();
    if (!stats.isFile() || stats.size !== keyFileLength) {
      throw new CitadelError(
        'FailedPrecondition',
        `the file that unlocks the key directory must have exactly ${keyFileLength} bytes`,
        { details: `to make one: (umask 077; head -c ${keyFileLength} /dev/urandom > ${quoted(path)})` },
      );
    }
    // Kubernetes gives a pod that does not run as root its secrets as root's, readable by the pod's group.
    const mounted = stats.uid === 0 && process.geteuid?.() !== 0;
    if ((stats.mode & (mounted ? 0o037 : 0o077)) !== 0) {
      throw new CitadelError(
        'FailedPrecondition',
        'the file that unlocks the key directory is open to other users; its mode must be 0600',
        { details: `chmod 0600 ${quoted(path)}` },
      );
    }
    const bytes = Buffer.alloc(keyFileLength);
    const { bytesRead } = await handle.read(bytes, 0, keyFileLength, 0);
    if (bytesRead !== keyFileLength) {
      throw new CitadelError('FailedPrecondition', 'the file that unlocks the key directory was cut off');
    }
    return new Secret(bytes);
  } finally {
    await handle.close();
  }
}

function otherProtection(what: string): CitadelError {
  return new CitadelError(
    'FailedPrecondition',
    `the keys on disk are encrypted under ${what}; configure that one`,
  );
}
