import { hash } from 'node:crypto';

const length = 20;

/**
 * The key identifier of a public key: the first 160 bits of the SHA-256 of what its BIT STRING holds (RFC 7093, 2,
 * method 1). As long as the SHA-1 one of RFC 5280, 4.2.1.2, without SHA-1.
 */
export function keyIdentifier(keyBits: Uint8Array): Buffer {
  return hash('sha256', keyBits, 'buffer').subarray(0, length);
}
