import { parseCertificate, verifyIssuedBy } from '../../pki/index.ts';
import type { AuthorityRecord } from '../ports/index.ts';
import { bundleRoots } from './decide.ts';

/**
 * What is served above a leaf, nearest first, DER: the issuing authority's certificate, those between it and its root, and
 * those by which other roots of the bundle certify that root, for who knows only these. When such a root leaves the bundle,
 * its certificate leaves the chain.
 */
export function servedChain(
  issuing: AuthorityRecord,
  records: readonly AuthorityRecord[],
  now: Date,
): readonly Uint8Array[] {
  const root = records.find(({ fingerprint }) => fingerprint === issuing.rootFingerprint);
  const others = bundleRoots(records).filter(({ fingerprint }) => fingerprint !== root?.fingerprint);
  const crosses = (root?.intermediates ?? []).filter((der) => {
    const cross = parseCertificate(der);
    return (
      cross.notAfter > now &&
      others.some(({ certificate }) => verifyIssuedBy(cross, parseCertificate(certificate)))
    );
  });
  return [issuing.certificate, ...issuing.intermediates, ...crosses];
}
