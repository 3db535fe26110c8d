import { createPublicKey, type KeyObject } from 'node:crypto';
import { CitadelError } from '../../kernel/index.ts';
import { algorithms } from './algorithms.ts';
import type { PublicKey } from './public-key.ts';

/**
 * Makes a KeyObject of a key that was read by readPublicKey, on the shortest way: an elliptic-curve point goes in raw.
 * @throws CitadelError InvalidArgument when a point is not on its curve
 */
export function importPublicKey(key: PublicKey, subject = 'public key'): KeyObject {
  const { family, node } = algorithms[key.algorithm];
  try {
    if (family === 'ec' && node.curve) {
      return createPublicKey({
        key: Buffer.from(key.keyBits.buffer, key.keyBits.byteOffset, key.keyBits.length),
        format: 'raw-public',
        asymmetricKeyType: 'ec',
        namedCurve: node.curve,
      });
    }
    return createPublicKey({
      key: Buffer.from(key.spki.buffer, key.spki.byteOffset, key.spki.length),
      format: 'der',
      type: 'spki',
    });
  } catch (cause) {
    const problem = family === 'ec' ? 'the point is not on its curve' : 'the public key cannot be used';
    throw new CitadelError('InvalidArgument', `malformed ${subject}: ${problem}`, { cause });
  }
}
