import { createPublicKey, type KeyObject } from 'node:crypto';
import { type TokenAlgorithm, tokenAlgorithms } from './algorithms.ts';
import type { TokenKey } from './protocol.ts';

/**
 * What a token says of a key, as one of the algorithms on offer; undefined where it is none of them, or has no public part.
 */
export function readTokenKey({
  keyType,
  publicPart,
}: TokenKey): { readonly spec: TokenAlgorithm; readonly publicKey: KeyObject } | undefined {
  if (!publicPart) return undefined;
  if (publicPart.kind === 'rsa') {
    const modulus = Buffer.from(publicPart.modulus);
    const publicKey = keyOf({ kty: 'RSA', n: url(modulus), e: url(publicPart.exponent) });
    const bits = publicKey?.asymmetricKeyDetails?.modulusLength;
    const spec = tokenAlgorithms.find((each) => each.keyType === keyType && each.bits === bits);
    return spec && publicKey ? { spec, publicKey } : undefined;
  }
  const curve = Buffer.from(publicPart.curve);
  const spec = tokenAlgorithms.find(
    (each) =>
      each.keyType === keyType &&
      each.curve !== undefined &&
      // Edwards curves are also given by name (PKCS #11 3.0, 2.3.5).
      (each.curve.equals(curve) || (each.algorithm === 'ed25519' && curve.equals(edwards25519))),
  );
  const publicKey = spec && pointKey(spec, Buffer.from(publicPart.point));
  return spec && publicKey ? { spec, publicKey } : undefined;
}

/** PrintableString "edwards25519" */
const edwards25519 = Buffer.from('130c656477617264733235353139', 'hex');

function pointKey({ algorithm, jwkCurve = '', coordinateLength = 0 }: TokenAlgorithm, given: Buffer) {
  const edwards = algorithm === 'ed25519';
  const octets = edwards ? coordinateLength : 1 + 2 * coordinateLength;
  // An OCTET STRING by the standard; the bare octets of some tokens.
  const wrapped = given.length === octets + 2 && given[0] === 0x04 && given[1] === octets;
  const point = wrapped ? given.subarray(2) : given;
  if (point.length !== octets || (!edwards && point[0] !== 0x04)) return undefined;
  if (edwards) return keyOf({ kty: 'OKP', crv: jwkCurve, x: url(point) });
  const [x, y] = [point.subarray(1, 1 + coordinateLength), point.subarray(1 + coordinateLength)];
  return keyOf({ kty: 'EC', crv: jwkCurve, x: url(x), y: url(y) });
}

function keyOf(key: Record<string, string>): KeyObject | undefined {
  try {
    return createPublicKey({ key, format: 'jwk' });
  } catch {
    return undefined;
  }
}

const url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
