import { createPrivateKey, createPublicKey, generateKeyPair as generate, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { CitadelError, Secret } from '../../kernel/index.ts';
import { context, encode, octetString, sequence, tag } from '../der/index.ts';
import { algorithms, type KeyAlgorithm } from './algorithms.ts';
import { publicKeyAlgorithm } from './public-key.ts';

export interface KeyPair {
  /** PKCS#8, DER, not encrypted; of ML-DSA the seed alone (RFC 9881, 6), which every implementation reads. */
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
const generateMlDsa65 = promisify((done: (error: Error | null, key: KeyObject) => void) => {
  generate('ml-dsa-65', undefined, (error, _publicKey, privateKey) => done(error, privateKey));
});

/** Makes a key pair, off the event loop. */
export async function generateKeyPair(algorithm: KeyAlgorithm): Promise<KeyPair> {
  return keyPairOf(await generatePrivateKey(algorithm));
}

function generatePrivateKey(algorithm: KeyAlgorithm): Promise<KeyObject> {
  const { family, node, modulusLength = 0 } = algorithms[algorithm];
  switch (family) {
    case 'ec':
      return generateEc(node.curve ?? 'P-256');
    case 'rsa':
      return generateRsa(modulusLength);
    case 'ed25519':
      return generateEd25519();
    case 'ml-dsa':
      return generateMlDsa65();
  }
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
  const algorithm = publicKeyAlgorithm(spki);
  return {
    privateKeyPkcs8: new Secret(
      algorithms[algorithm].family === 'ml-dsa'
        ? encodeSeed(privateKey, algorithm)
        : privateKey.export({ type: 'pkcs8', format: 'der' }),
    ),
    spki,
    privateKey,
  };
}

const seedLength = 32;

/** Node writes seed and expanded key, which BoringSSL and Go refuse. */
function encodeSeed(privateKey: KeyObject, algorithm: KeyAlgorithm): Buffer {
  const seed = Buffer.from(exportedSeed(privateKey), 'base64url');
  if (seed.length !== seedLength)
    throw new CitadelError('InvalidArgument', 'an ML-DSA key must come with its seed (RFC 9881, 6)');
  return sequence(
    encode(tag.integer, Uint8Array.of(0)),
    algorithms[algorithm].keyIdentifier,
    octetString(encode(context(0, 'primitive'), seed)),
  );
}

/** Base64url; empty where the key was made without its seed. */
function exportedSeed(privateKey: KeyObject): string {
  try {
    const priv = privateKey.export({ format: 'jwk' })['priv'];
    return typeof priv === 'string' ? priv : '';
  } catch {
    return '';
  }
}
