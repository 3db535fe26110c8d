import { sequence, unsignedInteger } from '../der/index.ts';

/** From r || s, as PKCS #11 and WebCrypto give an ECDSA signature, to X.509's SEQUENCE of both (RFC 3279, 2.2.3). */
export function derEcdsaSignature(raw: Uint8Array): Uint8Array {
  const half = raw.length / 2;
  return sequence(unsignedInteger(raw.subarray(0, half)), unsignedInteger(raw.subarray(half)));
}
