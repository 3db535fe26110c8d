import type { KeyAlgorithm } from '../../pki/index.ts';

/**
 * Of the key of a new issuing authority: as configured, or else P-256, and ML-DSA-65 under a root of ML-DSA-65, without
 * which the root would promise what the chain does not keep. Nobody meets ML-DSA who has not been seen to verify it: it
 * comes with its root, by a rotation or from the first start on.
 */
export function issuingAlgorithm(
  configured: KeyAlgorithm | undefined,
  root: KeyAlgorithm | undefined,
): KeyAlgorithm {
  return configured ?? (root === 'ml-dsa-65' ? root : 'ecdsa-p256');
}
