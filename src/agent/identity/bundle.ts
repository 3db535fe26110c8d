import { type Certificate, TrustBundle, TrustDomain } from '@citadel/spiffe';
import type { Bundle } from './identity.ts';
import { toPem } from './pem.ts';

/** @throws SpiffeError when an authority is none by X509-SVID 6.1 */
export function makeBundle(trustDomain: string, authorities: readonly Uint8Array[]): Bundle {
  const bundle = TrustBundle.of(TrustDomain.parse(trustDomain), authorities);
  const certificates: readonly Certificate[] = bundle.x509Authorities;
  return {
    trustDomain,
    authorities: certificates,
    version: bundle.contentVersion(),
    pem: certificates.map((certificate) => toPem(certificate.der)).join(''),
  };
}
