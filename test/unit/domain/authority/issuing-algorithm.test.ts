import { describe, expect, it } from 'vitest';
import { issuingAlgorithm } from '../../../../src/domain/authority/index.ts';

describe('the algorithm of a new issuing authority', () => {
  it.each([
    ['is P-256 where nothing is said', undefined, 'ecdsa-p384', 'ecdsa-p256'],
    ['is P-256 where another PKI has the root', undefined, undefined, 'ecdsa-p256'],
    ['is ML-DSA-65 under a root of it', undefined, 'ml-dsa-65', 'ml-dsa-65'],
    ['is what is configured, whatever the root', 'rsa-3072', 'ml-dsa-65', 'rsa-3072'],
  ] as const)('%s', (_, configured, above, expected) => {
    expect(issuingAlgorithm(configured, above)).toBe(expected);
  });
});
