import { describe, expect, it } from 'vitest';
import { issuingAlgorithm } from '../../../../src/domain/authority/index.ts';
import { createAuthorities } from '../../pki/fixture.ts';

const root = async (algorithm: 'ecdsa-p384' | 'ml-dsa-65') => ({
  certificate: (await createAuthorities(algorithm)).root,
});

describe('the algorithm of a new issuing authority', async () => {
  const [classic, postQuantum] = [await root('ecdsa-p384'), await root('ml-dsa-65')];
  it.each([
    ['is P-256 where nothing is said', undefined, classic, 'ecdsa-p256'],
    ['is P-256 where another PKI has the root', undefined, undefined, 'ecdsa-p256'],
    ['is ML-DSA-65 under a root of it', undefined, postQuantum, 'ml-dsa-65'],
    ['is what is configured, whatever the root', 'rsa-3072', postQuantum, 'rsa-3072'],
  ] as const)('%s', (_, configured, above, expected) => {
    expect(issuingAlgorithm(configured, above)).toBe(expected);
  });
});
