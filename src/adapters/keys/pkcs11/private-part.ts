import type { KeyObject } from 'node:crypto';
import type { TokenAlgorithm } from './algorithms.ts';
import type { PrivatePart } from './protocol.ts';

/** A private key's parts as PKCS #11 takes them. */
export function privatePartOf(spec: TokenAlgorithm, privateKey: KeyObject): PrivatePart {
  const jwk = privateKey.export({ format: 'jwk' });
  const bytes = (text = '') => Buffer.from(text, 'base64url');
  const { keyType, curve } = spec;
  if (!curve) {
    return {
      kind: 'rsa',
      keyType,
      modulus: bytes(jwk.n),
      exponent: bytes(jwk.e),
      privateExponent: bytes(jwk.d),
      primes: [bytes(jwk.p), bytes(jwk.q)],
      exponents: [bytes(jwk.dp), bytes(jwk.dq)],
      coefficient: bytes(jwk.qi),
    };
  }
  const point =
    jwk.y === undefined ? bytes(jwk.x) : Buffer.concat([uncompressed, bytes(jwk.x), bytes(jwk.y)]);
  return {
    kind: 'point',
    keyType,
    curve,
    // An OCTET STRING, all of whose lengths fit into one octet.
    point: Buffer.concat([Uint8Array.of(0x04, point.length), point]),
    value: bytes(jwk.d),
  };
}

const uncompressed = Uint8Array.of(0x04);
