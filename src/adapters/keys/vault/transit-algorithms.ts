import { createHash } from 'node:crypto';
import type { KeyAlgorithm } from '../../../pki/index.ts';

/** How transit names a kind of key and is told to sign with it, so that the signature is what X.509 carries. */
export interface TransitAlgorithm {
  readonly algorithm: KeyAlgorithm;
  readonly type: string;
  readonly digest: 'sha256' | 'sha384' | null;
  /** Members of the signing request. Only a digest leaves the process, but for what hashes by itself: Ed25519, ML-DSA. */
  readonly sign: Readonly<Record<string, unknown>>;
}

const ecdsa = (bits: 256 | 384) => ({
  prehashed: true,
  hash_algorithm: `sha2-${bits}`,
  marshaling_algorithm: 'asn1',
});
const rsa = { prehashed: true, hash_algorithm: 'sha2-256', signature_algorithm: 'pkcs1v15' };

export const transitAlgorithms: readonly TransitAlgorithm[] = [
  { algorithm: 'ecdsa-p256', type: 'ecdsa-p256', digest: 'sha256', sign: ecdsa(256) },
  { algorithm: 'ecdsa-p384', type: 'ecdsa-p384', digest: 'sha384', sign: ecdsa(384) },
  { algorithm: 'ed25519', type: 'ed25519', digest: null, sign: {} },
  { algorithm: 'rsa-2048', type: 'rsa-2048', digest: 'sha256', sign: rsa },
  { algorithm: 'rsa-3072', type: 'rsa-3072', digest: 'sha256', sign: rsa },
  { algorithm: 'rsa-4096', type: 'rsa-4096', digest: 'sha256', sign: rsa },
  // As OpenBao 2.7 names it.
  { algorithm: 'ml-dsa-65', type: 'mldsa-65', digest: null, sign: {} },
];

export function signingInput({ digest }: TransitAlgorithm, data: Uint8Array): string {
  const input = digest === null ? Buffer.from(data) : createHash(digest).update(data).digest();
  return input.toString('base64');
}
