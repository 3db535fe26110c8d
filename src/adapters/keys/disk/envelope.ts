import { createCipheriv, createDecipheriv, hkdfSync, timingSafeEqual } from 'node:crypto';
import { CitadelError, type Entropy, Secret } from '../../../kernel/index.ts';
import type { KeyAlgorithm } from '../../../pki/index.ts';
import type { EnvelopeHeader, KeyDerivation, SealedKeyFile } from './format.ts';

const nonceLength = 12;
const checkLength = 16;

/** Seals a private key with AES-256-GCM; everything else in the file is authenticated with it. */
export function sealKey(
  key: { readonly id: string; readonly algorithm: KeyAlgorithm; readonly pkcs8: Secret<Uint8Array> },
  derivation: KeyDerivation,
  secret: Secret<Buffer>,
  entropy: Entropy,
): SealedKeyFile {
  const { id, algorithm } = key;
  const nonce = Buffer.from(entropy.bytes(nonceLength));
  const header: EnvelopeHeader = { id, algorithm, derivation, check: keyCheck(secret), nonce };
  const cipher = createCipheriv('aes-256-gcm', cipherKey(secret), nonce);
  cipher.setAAD(authenticatedData(header));
  const ciphertext = Buffer.concat([cipher.update(key.pkcs8.reveal()), cipher.final()]);
  return { ...header, ciphertext, tag: cipher.getAuthTag() };
}

/**
 * Opens a sealed key.
 * @returns PKCS#8 DER
 * @throws CitadelError FailedPrecondition: the passphrase or key file is not the one it was sealed with; DataLoss: it was
 *   damaged or changed
 */
export function openKey(file: SealedKeyFile, secret: Secret<Buffer>): Secret<Uint8Array> {
  requireSameSecret(file, secret);
  const decipher = createDecipheriv('aes-256-gcm', cipherKey(secret), file.nonce, { authTagLength: 16 });
  decipher.setAAD(authenticatedData(file));
  decipher.setAuthTag(file.tag);
  try {
    return new Secret(Buffer.concat([decipher.update(file.ciphertext), decipher.final()]));
  } catch {
    throw new CitadelError('DataLoss', 'a key file was damaged or changed; restore it from a backup', {
      details: `key ${file.id}: its authentication tag does not match`,
    });
  }
}

/** Tells a wrong passphrase from a damaged file, which the tag alone cannot. */
export function requireSameSecret(file: EnvelopeHeader, secret: Secret<Buffer>): void {
  if (timingSafeEqual(keyCheck(secret), file.check)) return;
  const what = file.derivation.kind === 'scrypt' ? 'passphrase' : 'key file';
  throw new CitadelError(
    'FailedPrecondition',
    `wrong ${what}: the keys on disk are encrypted under another one`,
    {
      details: `key ${file.id} does not open`,
    },
  );
}

function expand(secret: Secret<Buffer>, purpose: string, length: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret.reveal(), '', `citadel disk key ${purpose}`, length));
}

const cipherKey = (secret: Secret<Buffer>) => expand(secret, 'encryption', 32);
const keyCheck = (secret: Secret<Buffer>) => expand(secret, 'check', checkLength);

/** One unambiguous text of the header: an array of JSON, in a fixed order. */
function authenticatedData({ id, algorithm, derivation, check, nonce }: EnvelopeHeader): Buffer {
  const by =
    derivation.kind === 'scrypt'
      ? [
          derivation.cost,
          derivation.blockSize,
          derivation.parallelization,
          derivation.salt.toString('base64'),
        ]
      : [];
  const fields = [id, algorithm, derivation.kind, ...by, check.toString('base64'), nonce.toString('base64')];
  return Buffer.from(JSON.stringify(['citadel-key', 1, ...fields]));
}
