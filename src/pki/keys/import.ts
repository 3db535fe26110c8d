import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { CitadelError } from '../../kernel/index.ts';
import { bitString, encode, sequence, tag } from '../der/index.ts';
import { algorithms, encodeSpki, type KeyAlgorithm, signatureIdentifiers } from './algorithms.ts';
import type { PublicKey } from './public-key.ts';

/**
 * Makes a KeyObject of a key that was read by readPublicKey.
 * @throws CitadelError InvalidArgument when a point is not on its curve
 */
export function importPublicKey(key: PublicKey, subject = 'public key'): KeyObject {
  const carrier = carriers.get(key.algorithm);
  try {
    if (carrier) return carrier(key.spki);
    return createPublicKey({ key: Buffer.from(key.spki), format: 'der', type: 'spki' });
  } catch (cause) {
    const problem = carrier ? 'the point is not on its curve' : 'the public key cannot be used';
    throw new CitadelError('InvalidArgument', `malformed ${subject}: ${problem}`, { cause });
  }
}

/**
 * Elliptic-curve keys are imported inside an otherwise empty certificate. Every direct way (raw point, JWK, SPKI, by
 * node:crypto or WebCrypto) multiplies the point by the group's order, which costs as much as a verification and says
 * nothing new on a curve of cofactor 1, where each point but infinity has that order (SP 800-56A, 5.6.2.3.4). A
 * certificate's key is only checked to be a point on its curve.
 */
const carriers: ReadonlyMap<KeyAlgorithm, (spki: Uint8Array) => KeyObject> = new Map(
  (['ecdsa-p256', 'ecdsa-p384'] as const).map((name) => [name, createCarrier(name)]),
);

function createCarrier(algorithm: KeyAlgorithm): (spki: Uint8Array) => KeyObject {
  const spkiLength = encodeSpki(algorithm, new Uint8Array(algorithms[algorithm].publicKeyLength ?? 0)).length;
  const time = encode(tag.utcTime, Buffer.from('500101000000Z'));
  const signature = signatureIdentifiers.ecdsaSha256;
  const certificate = sequence(
    sequence(
      encode(tag.integer, Uint8Array.of(1)),
      signature,
      sequence(),
      sequence(time, time),
      sequence(),
      new Uint8Array(spkiLength),
    ),
    signature,
    bitString(new Uint8Array(0)),
  );
  const offset = certificate.length - (signature.length + bitString(new Uint8Array(0)).length) - spkiLength;
  return (spki) => {
    const carrier = Buffer.from(certificate);
    carrier.set(spki, offset);
    return new X509Certificate(carrier).publicKey;
  };
}
