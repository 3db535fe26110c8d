import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { promisify } from 'node:util';
import { CitadelError } from '../../kernel/index.ts';
import { algorithms, type KeyAlgorithm } from './algorithms.ts';
import { publicKeyAlgorithm } from './public-key.ts';

/** A public key ready for use. */
export interface VerifyingKey {
  readonly algorithm: KeyAlgorithm;
  readonly object: KeyObject;
}

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
 * A signer on a key in this process.
 * @throws CitadelError InvalidArgument when the key is of an algorithm that is not offered
 */
export function localSigner(privateKey: KeyObject): CertificateSigner {
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const algorithm = publicKeyAlgorithm(publicKey);
  const { digest, inPlace } = algorithms[algorithm];
  return {
    algorithm,
    publicKey,
    sign: async (data) => {
      try {
        return await (inPlace.sign
          ? sign(digest, data, privateKey)
          : signOnThreadpool(digest, data, privateKey));
      } catch (cause) {
        throw new CitadelError('Internal', 'the key could not sign', { cause });
      }
    },
  };
}

/** Whether the signature, in X.509's form, is by that key. Anything wrong with it is a no. */
export async function verifySignature(
  digest: string | null,
  data: Uint8Array,
  key: VerifyingKey,
  signature: Uint8Array,
): Promise<boolean> {
  try {
    return algorithms[key.algorithm].inPlace.verify
      ? verify(digest, data, key.object, signature)
      : await verifyOnThreadpool(digest, data, key.object, signature);
  } catch {
    return false;
  }
}

const signOnThreadpool: (digest: string | null, data: Uint8Array, key: KeyObject) => Promise<Buffer> =
  promisify(sign);
const verifyOnThreadpool: (
  digest: string | null,
  data: Uint8Array,
  key: KeyObject,
  signature: Uint8Array,
) => Promise<boolean> = promisify(verify);
