import { type KeyObject, verify } from 'node:crypto';
import type { Certificate } from './certificate.ts';
import { SpiffeError } from './errors.ts';

interface Algorithm {
  readonly keyType: string;
  /** null where the algorithm hashes by itself. */
  readonly hash: string | null;
  /** DER of the parameters that the RFC asks for; RSA's NULL is told apart from absence. */
  readonly parameters: '' | '0500';
}

const ecdsa = (hash: string): Algorithm => ({ keyType: 'ec', hash, parameters: '' });
const rsa = (hash: string): Algorithm => ({ keyType: 'rsa', hash, parameters: '0500' });

// RFC 5758 3.2, RFC 4055 5, RFC 8410 3, RFC 9881 3. What is not here (SHA-1, MD5) is refused.
const algorithms: ReadonlyMap<string, Algorithm> = new Map([
  ['1.2.840.10045.4.3.2', ecdsa('sha256')],
  ['1.2.840.10045.4.3.3', ecdsa('sha384')],
  ['1.2.840.10045.4.3.4', ecdsa('sha512')],
  ['1.2.840.113549.1.1.11', rsa('sha256')],
  ['1.2.840.113549.1.1.12', rsa('sha384')],
  ['1.2.840.113549.1.1.13', rsa('sha512')],
  ['1.3.101.112', { keyType: 'ed25519', hash: null, parameters: '' }],
  ['2.16.840.1.101.3.4.3.18', { keyType: 'ml-dsa-65', hash: null, parameters: '' }],
]);

const curves: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

/** Refuses a signature algorithm that is unknown or weak. @returns how to verify it. */
export function signatureAlgorithm(certificate: Certificate): Algorithm {
  const { oid, parameters } = certificate.fields.algorithm;
  const algorithm = algorithms.get(oid);
  if (algorithm === undefined || algorithm.parameters !== parameters.toString('hex')) {
    throw new SpiffeError(
      'path-signature-algorithm',
      'a certificate is signed with an algorithm that is not accepted',
    );
  }
  return algorithm;
}

/** Whether `issuer`'s key made the signature of `certificate` (RFC 5280 6.1.3 (a)(1)). */
export function isSignedBy(certificate: Certificate, issuer: Certificate): boolean {
  const { keyType, hash } = signatureAlgorithm(certificate);
  const key = issuer.publicKey;
  if (key.asymmetricKeyType !== keyType) return false;
  try {
    return verify(hash, certificate.fields.tbs, key, certificate.fields.signature);
  } catch {
    // OpenSSL throws on a signature whose encoding it cannot read: that is one that does not verify.
    return false;
  }
}

/**
 * Refuses keys that are weak, or so large that verifying with them is an attack: RSA of 2048 to 8192 bits, the NIST
 * curves, Ed25519 and ML-DSA-65 are accepted.
 */
export function checkKey(certificate: Certificate): void {
  if (isAcceptedKey(certificate.publicKey)) return;
  throw new SpiffeError('path-key', 'a certificate holds a key of a type or size that is not accepted');
}

function isAcceptedKey(key: KeyObject): boolean {
  const { modulusLength = 0, namedCurve = '' } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'rsa') return modulusLength >= 2048 && modulusLength <= 8192;
  if (key.asymmetricKeyType === 'ec') return curves.has(namedCurve);
  return key.asymmetricKeyType === 'ed25519' || key.asymmetricKeyType === 'ml-dsa-65';
}
