import { createPrivateKey, createPublicKey, generateKeyPair as generate, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { CitadelError, Secret } from '../../kernel/index.ts';
import { algorithms, type KeyAlgorithm } from './algorithms.ts';
import { publicKeyAlgorithm } from './public-key.ts';

export interface KeyPair {
  /** PKCS#8, DER, not encrypted. */
  readonly privateKeyPkcs8: Secret<Uint8Array>;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  readonly privateKey: KeyObject;
}

const generateEc = promisify((curve: string, done: (error: Error | null, key: KeyObject) => void) => {
  generate('ec', { namedCurve: curve }, (error, _publicKey, privateKey) => done(error, privateKey));
});
const generateRsa = promisify(
  (modulusLength: number, done: (error: Error | null, key: KeyObject) => void) => {
    generate('rsa', { modulusLength, publicExponent: 65_537 }, (error, _publicKey, privateKey) =>
      done(error, privateKey),
    );
  },
);
const generateEd25519 = promisify((done: (error: Error | null, key: KeyObject) => void) => {
  generate('ed25519', undefined, (error, _publicKey, privateKey) => done(error, privateKey));
});

/** Makes a key pair, off the event loop. */
export async function generateKeyPair(algorithm: KeyAlgorithm): Promise<KeyPair> {
  const { node, modulusLength = 0 } = algorithms[algorithm];
  const privateKey = await (node.curve
    ? generateEc(node.curve)
    : modulusLength > 0
      ? generateRsa(modulusLength)
      : generateEd25519());
  return keyPairOf(privateKey);
}

/**
 * Reads a private key: PKCS#8 DER, or PEM in any of the usual forms (PKCS#8, encrypted or not, PKCS#1, SEC 1).
 * @throws CitadelError InvalidArgument when it cannot be read, the passphrase is wrong, or its algorithm is not offered
 */
export function readPrivateKey(key: Secret<Uint8Array | string>, passphrase?: Secret<string>): KeyPair {
  const value = key.reveal();
  const secret = passphrase === undefined ? {} : { passphrase: passphrase.reveal() };
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(
      typeof value === 'string'
        ? { key: value, format: 'pem', ...secret }
        : {
            key: Buffer.from(value.buffer, value.byteOffset, value.length),
            format: 'der',
            type: 'pkcs8',
            ...secret,
          },
    );
  } catch {
    // The library's error may quote what it read.
    throw new CitadelError(
      'InvalidArgument',
      'the private key cannot be read; it must be PEM or PKCS#8, with its passphrase if it has one',
    );
  }
  return keyPairOf(privateKey);
}

function keyPairOf(privateKey: KeyObject): KeyPair {
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  publicKeyAlgorithm(spki);
  return {
    privateKeyPkcs8: new Secret(privateKey.export({ type: 'pkcs8', format: 'der' })),
    spki,
    privateKey,
  };
}
