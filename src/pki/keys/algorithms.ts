import type { KeyType } from 'node:crypto';
import { bitString, encode, oid, sequence, tag } from '../der/index.ts';

/** Those that are no experiment. */
export const classicAlgorithms = [
  'ecdsa-p256',
  'ecdsa-p384',
  'ed25519',
  'rsa-2048',
  'rsa-3072',
  'rsa-4096',
] as const;

/** The key algorithms that Citadel signs with and certifies; ML-DSA of authorities alone. */
export const keyAlgorithms = [...classicAlgorithms, 'ml-dsa-65'] as const;
export type KeyAlgorithm = (typeof keyAlgorithms)[number];

/** Everything that depends on the algorithm of a key; a new algorithm is a new row. */
export interface AlgorithmSpec {
  readonly name: KeyAlgorithm;
  readonly family: 'ec' | 'rsa' | 'ed25519' | 'ml-dsa';
  /** SubjectPublicKeyInfo.algorithm, DER (RFC 5480, 2.1.1; RFC 3279, 2.3.1; RFC 8410, 4; RFC 9881, 2). */
  readonly keyIdentifier: Buffer;
  /** AlgorithmIdentifier of the signatures that a key of this algorithm makes here, DER (RFC 5758, RFC 4055, RFC 8410, RFC 9881). */
  readonly signatureIdentifier: Buffer;
  /** For node:crypto's sign and verify; Ed25519 and ML-DSA hash by themselves. */
  readonly digest: 'sha256' | 'sha384' | null;
  /**
   * Whether an operation is done where it is called. libuv's threadpool costs some 50 microseconds of CPU a job, and
   * under load several times that; a P-256 signature takes 40, a verification 90. What takes longer goes there.
   */
  readonly inPlace: { readonly sign: boolean; readonly verify: boolean };
  /** Octets of the public key in its BIT STRING; absent where that varies. */
  readonly publicKeyLength?: number;
  /** Octets of r (and of s), for the conversion between WebCrypto's signatures and those of X.509. */
  readonly coordinateLength?: number;
  /** Bits of the modulus. */
  readonly modulusLength?: number;
  readonly node: { readonly type: KeyType; readonly curve?: 'P-256' | 'P-384' };
  /** As WebCrypto describes the key, and what its sign() is given. */
  readonly webCrypto: {
    readonly key: EcKeyAlgorithm | RsaHashedKeyAlgorithm | { readonly name: 'Ed25519' | 'ML-DSA-65' };
    readonly sign: EcdsaParams | { readonly name: string };
  };
}

interface EcKeyAlgorithm {
  readonly name: 'ECDSA';
  readonly namedCurve: string;
}

interface RsaHashedKeyAlgorithm {
  readonly name: 'RSASSA-PKCS1-v1_5';
  readonly hash: { readonly name: string };
  readonly modulusLength: number;
  readonly publicExponent: Uint8Array<ArrayBuffer>;
}

interface EcdsaParams {
  readonly name: 'ECDSA';
  readonly hash: { readonly name: string };
}

const derNull = encode(tag.null);

export const signatureIdentifiers = {
  ecdsaSha256: sequence(oid('1.2.840.10045.4.3.2')),
  ecdsaSha384: sequence(oid('1.2.840.10045.4.3.3')),
  ecdsaSha512: sequence(oid('1.2.840.10045.4.3.4')),
  rsaSha256: sequence(oid('1.2.840.113549.1.1.11'), derNull),
  rsaSha384: sequence(oid('1.2.840.113549.1.1.12'), derNull),
  rsaSha512: sequence(oid('1.2.840.113549.1.1.13'), derNull),
  ed25519: sequence(oid('1.3.101.112')),
  mlDsa65: sequence(oid('2.16.840.1.101.3.4.3.18')),
} as const;

export const ecPublicKeyOid = oid('1.2.840.10045.2.1');
const rsaEncryption = sequence(oid('1.2.840.113549.1.1.1'), derNull);

const p256: AlgorithmSpec = {
  name: 'ecdsa-p256',
  family: 'ec',
  keyIdentifier: sequence(ecPublicKeyOid, oid('1.2.840.10045.3.1.7')),
  signatureIdentifier: signatureIdentifiers.ecdsaSha256,
  digest: 'sha256',
  inPlace: { sign: true, verify: true },
  publicKeyLength: 65,
  coordinateLength: 32,
  node: { type: 'ec', curve: 'P-256' },
  webCrypto: {
    key: { name: 'ECDSA', namedCurve: 'P-256' },
    sign: { name: 'ECDSA', hash: { name: 'SHA-256' } },
  },
};

const p384: AlgorithmSpec = {
  name: 'ecdsa-p384',
  family: 'ec',
  keyIdentifier: sequence(ecPublicKeyOid, oid('1.3.132.0.34')),
  signatureIdentifier: signatureIdentifiers.ecdsaSha384,
  digest: 'sha384',
  inPlace: { sign: false, verify: false },
  publicKeyLength: 97,
  coordinateLength: 48,
  node: { type: 'ec', curve: 'P-384' },
  webCrypto: {
    key: { name: 'ECDSA', namedCurve: 'P-384' },
    sign: { name: 'ECDSA', hash: { name: 'SHA-384' } },
  },
};

const ed25519: AlgorithmSpec = {
  name: 'ed25519',
  family: 'ed25519',
  keyIdentifier: signatureIdentifiers.ed25519,
  signatureIdentifier: signatureIdentifiers.ed25519,
  digest: null,
  inPlace: { sign: true, verify: true },
  publicKeyLength: 32,
  node: { type: 'ed25519' },
  webCrypto: { key: { name: 'Ed25519' }, sign: { name: 'Ed25519' } },
};

/** FIPS 204; in X.509 pure, with an empty context, and without parameters in its identifier (RFC 9881, 2 and 3). */
const mlDsa65: AlgorithmSpec = {
  name: 'ml-dsa-65',
  family: 'ml-dsa',
  keyIdentifier: signatureIdentifiers.mlDsa65,
  signatureIdentifier: signatureIdentifiers.mlDsa65,
  digest: null,
  inPlace: { sign: false, verify: true },
  publicKeyLength: 1952,
  node: { type: 'ml-dsa-65' },
  webCrypto: { key: { name: 'ML-DSA-65' }, sign: { name: 'ML-DSA-65' } },
};

function rsa(name: KeyAlgorithm, modulusLength: number): AlgorithmSpec {
  return {
    name,
    family: 'rsa',
    keyIdentifier: rsaEncryption,
    signatureIdentifier: signatureIdentifiers.rsaSha256,
    digest: 'sha256',
    inPlace: { sign: false, verify: true },
    modulusLength,
    node: { type: 'rsa' },
    webCrypto: {
      key: {
        name: 'RSASSA-PKCS1-v1_5',
        hash: { name: 'SHA-256' },
        modulusLength,
        publicExponent: Uint8Array.of(1, 0, 1),
      },
      sign: { name: 'RSASSA-PKCS1-v1_5' },
    },
  };
}

export const algorithms: Readonly<Record<KeyAlgorithm, AlgorithmSpec>> = {
  'ecdsa-p256': p256,
  'ecdsa-p384': p384,
  ed25519,
  'rsa-2048': rsa('rsa-2048', 2048),
  'rsa-3072': rsa('rsa-3072', 3072),
  'rsa-4096': rsa('rsa-4096', 4096),
  'ml-dsa-65': mlDsa65,
};

/** SubjectPublicKeyInfo, DER, of a public key given as the octets of its BIT STRING. */
export function encodeSpki(algorithm: KeyAlgorithm, publicKey: Uint8Array): Buffer {
  return sequence(algorithms[algorithm].keyIdentifier, bitString(publicKey));
}
