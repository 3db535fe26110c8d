import { randomBytes, randomInt } from 'node:crypto';

/** Randomness as a port. */
export interface Entropy {
  /** `length` bytes from a cryptographic source. */
  bytes(length: number): Uint8Array;
  /** A number in [0, 1), for jitter. */
  fraction(): number;
}

const fractionSteps = 2 ** 32;

/** A call into the generator costs about as much for 16 bytes as for 4096: short ones share it, each byte given once. */
const poolLength = 4096;
const longestPooled = 64;
let pool = Buffer.alloc(0);

function pooled(length: number): Uint8Array {
  if (length > longestPooled) return randomBytes(length);
  if (pool.length < length) pool = randomBytes(poolLength);
  const taken = Uint8Array.from(pool.subarray(0, length));
  pool.fill(0, 0, length);
  pool = pool.subarray(length);
  return taken;
}

export const systemEntropy: Entropy = {
  bytes: pooled,
  fraction: () => randomInt(fractionSteps) / fractionSteps,
};
