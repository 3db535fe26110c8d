import { CitadelError } from '../../kernel/index.ts';
import type { Attestor } from '../ports/index.ts';
import type { SvidVerifier } from './svid-verifier.ts';

/**
 * Renewal by a valid SVID, for workloads outside Kubernetes. Where a token can be had it is not used: a stolen key must
 * not renew itself for ever, so workloads that were attested by Kubernetes always bring a fresh token.
 */
export function createSvidAttestor(verifier: SvidVerifier): Attestor {
  return {
    name: 'svid',
    accepts: ({ token, clientCertificates }) => token === undefined && clientCertificates !== undefined,
    async attest({ clientCertificates }) {
      const [leaf] = clientCertificates ?? [];
      const { spiffeId, serial, issuance } = await verifier.verify(leaf ?? new Uint8Array());
      if (!renewable.test(issuance.principal)) throw otherProofNeeded();
      return { kind: 'svid', proof: 'client-certificate', spiffeId, serial, proxyKey: issuance.proxyKey };
    },
  };
}

/** An operator's or a server's own certificate is no workload's; one attested by Kubernetes brings a fresh token. */
const renewable = /^(?:development|svid):/;

function otherProofNeeded(): CitadelError {
  return new CitadelError(
    'Unauthenticated',
    'this certificate cannot renew itself: in Kubernetes a renewal needs a fresh service account token',
  );
}
