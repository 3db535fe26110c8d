import { createHash } from 'node:crypto';
import { parseCertificate } from '../../pki/index.ts';
import type { AuthorityRecord } from '../ports/index.ts';

type Given = Pick<AuthorityRecord, 'kind' | 'state' | 'keyBackend' | 'keyId' | 'certificate' | 'createdAt'> &
  Partial<Pick<AuthorityRecord, 'id' | 'intermediates' | 'rootFingerprint' | 'serverId'>>;

/** Completes an authority's record from its certificate; a root without an id is named by its fingerprint. */
export function authorityRecord(given: Given): AuthorityRecord {
  const { notBefore, notAfter } = parseCertificate(given.certificate);
  const fingerprint = createHash('sha256').update(given.certificate).digest('hex');
  return {
    id: `${given.kind}-${fingerprint.slice(0, 16)}`,
    tainted: false,
    intermediates: [],
    rootFingerprint: fingerprint,
    ...given,
    fingerprint,
    notBefore,
    notAfter,
  };
}
