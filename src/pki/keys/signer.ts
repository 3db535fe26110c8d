import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { CitadelError } from '../../kernel/index.ts';
import { algorithms, type KeyAlgorithm } from './algorithms.ts';
import { publicKeyAlgorithm } from './public-key.ts';

/** What a home of private keys offers: signatures, never the key. */
export interface CertificateSigner {
  readonly algorithm: KeyAlgorithm;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
  /**
   * Signs with the digest of the algorithm (P-256 and RSA: SHA-256, P-384: SHA-384).
   * @returns the signature as X.509 carries it: ECDSA as DER, RSA by PKCS #1 v1.5
   */
  sign(data: Uint8Array): Promise<Uint8Array>;
}

/**
 * A signer on a key in this process. It signs on libuv's threadpool: that costs a little more CPU than signing in place,
 * but the event loop goes on serving, and signatures use all cores.
 * @throws CitadelError InvalidArgument when the key is of an algorithm that is not offered
 */
export function localSigner(privateKey: KeyObject): CertificateSigner {
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const algorithm = publicKeyAlgorithm(publicKey);
  const { digest } = algorithms[algorithm];
  return {
    algorithm,
    publicKey,
    sign: (data) =>
      new Promise((resolve, reject) => {
        sign(digest, data, privateKey, (error, signature) => {
          if (error) reject(new CitadelError('Internal', 'the key could not sign', { cause: error }));
          else resolve(signature);
        });
      }),
  };
}

/** Whether the signature, in X.509's form, is by that key; off the event loop. Anything wrong with it is a no. */
export function verifySignature(
  digest: string | null,
  data: Uint8Array,
  publicKey: KeyObject,
  signature: Uint8Array,
): Promise<boolean> {
  return new Promise((resolve) => {
    verify(digest, data, publicKey, signature, (error, valid) => {
      resolve(error === null && valid);
    });
  });
}
