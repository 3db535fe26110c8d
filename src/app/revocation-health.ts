import type { Probe } from './health.ts';
import type { RevocationOrders } from './revocation.ts';

/** What is revoked and taken all the same, somewhere. */
export function revocationProbe({ revocations }: Pick<RevocationOrders, 'revocations'>): Probe {
  return {
    name: 'revocation',
    why: 'whoever stole a revoked certificate is taken where that is not enforced, until it ends',
    mend: 'citadel certificate revocations names where and why',
    essential: false,
    run: async () => {
      const { sentences } = await revocations();
      return sentences.length === 0 ? undefined : sentences.join('; ');
    },
  };
}
