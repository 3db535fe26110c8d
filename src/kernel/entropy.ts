import { randomBytes, randomInt } from 'node:crypto';

/** Randomness as a port. */
export interface Entropy {
  /** `length` bytes from a cryptographic source. */
  bytes(length: number): Uint8Array;
  /** A number in [0, 1), for jitter. */
  fraction(): number;
}

const fractionSteps = 2 ** 32;

export const systemEntropy: Entropy = {
  bytes: (length) => randomBytes(length),
  fraction: () => randomInt(fractionSteps) / fractionSteps,
};
