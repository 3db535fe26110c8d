import { createHash } from 'node:crypto';
import type { KeyAlgorithm } from '../../../pki/index.ts';

/** A mechanism's number and its name in the standard, for whoever reads a refusal. */
export interface Mechanism {
  readonly type: number;
  readonly name: string;
}

/** How a kind of key is made by a token and told to sign, so that the signature is what X.509 carries. */
export interface TokenAlgorithm {
  readonly algorithm: KeyAlgorithm;
  /** CKA_KEY_TYPE */
  readonly keyType: number;
  readonly generation: Mechanism;
  readonly signature: Mechanism;
  /** As a token gives the sizes that a mechanism takes. */
  readonly bits: number;
  readonly digest: 'sha256' | 'sha384' | null;
  /** CKA_EC_PARAMS: the curve's object identifier, DER. */
  readonly curve?: Buffer;
  /** Of JWK, where there is a curve. */
  readonly jwkCurve?: string;
  /** Octets of a coordinate, or of an Ed25519 public key. */
  readonly coordinateLength?: number;
}

// Numbers of PKCS #11 2.40, 3 (current mechanisms), those of Edwards curves of 3.0.
export const keyTypes = { rsa: 0x00, ec: 0x03, edwards: 0x40 } as const;
const ecGeneration = { type: 0x1040, name: 'CKM_EC_KEY_PAIR_GEN' };
/** Over a hash that is ours: a token's own hashing is offered by few, and would carry all data to it. */
const ecdsa = { type: 0x1041, name: 'CKM_ECDSA' };
const rsaGeneration = { type: 0x00, name: 'CKM_RSA_PKCS_KEY_PAIR_GEN' };
/** Over a DigestInfo that is ours. */
const rsaPkcs = { type: 0x01, name: 'CKM_RSA_PKCS' };

const ec = (algorithm: KeyAlgorithm, bits: 256 | 384, curve: string): TokenAlgorithm => ({
  algorithm,
  keyType: keyTypes.ec,
  generation: ecGeneration,
  signature: ecdsa,
  bits,
  digest: bits === 256 ? 'sha256' : 'sha384',
  curve: Buffer.from(curve, 'hex'),
  jwkCurve: `P-${bits}`,
  coordinateLength: bits / 8,
});
const rsa = (algorithm: KeyAlgorithm, bits: number): TokenAlgorithm => ({
  algorithm,
  keyType: keyTypes.rsa,
  generation: rsaGeneration,
  signature: rsaPkcs,
  bits,
  digest: 'sha256',
});

export const tokenAlgorithms: readonly TokenAlgorithm[] = [
  ec('ecdsa-p256', 256, '06082a8648ce3d030107'),
  ec('ecdsa-p384', 384, '06052b81040022'),
  {
    algorithm: 'ed25519',
    keyType: keyTypes.edwards,
    generation: { type: 0x1055, name: 'CKM_EC_EDWARDS_KEY_PAIR_GEN' },
    signature: { type: 0x1057, name: 'CKM_EDDSA' },
    bits: 256,
    digest: null,
    // RFC 8410, 3.
    curve: Buffer.from('06032b6570', 'hex'),
    jwkCurve: 'Ed25519',
    coordinateLength: 32,
  },
  rsa('rsa-2048', 2048),
  rsa('rsa-3072', 3072),
  rsa('rsa-4096', 4096),
];

/** DigestInfo of SHA-256 up to the hash (RFC 8017, 9.2). */
const sha256Info = Buffer.from('3031300d060960864801650304020105000420', 'hex');

/** What the mechanism is given to sign. */
export function signingInput({ digest, keyType }: TokenAlgorithm, data: Uint8Array): Uint8Array {
  if (digest === null) return data;
  const hash = createHash(digest).update(data).digest();
  return keyType === keyTypes.rsa ? Buffer.concat([sha256Info, hash]) : hash;
}
