import type { Clock } from '../../kernel/index.ts';
import { type CertificateSigner, createCertificateRequest, createRootCertificate } from '../../pki/index.ts';
import { authorityRecord, createRootUpstream } from '../authority/index.ts';

/** Milliseconds that a throwaway certificate lives: whatever becomes of its key, it is soon worth nothing. */
const lifetime = 600_000;

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

interface Surroundings {
  readonly trustDomain: string;
  readonly clock: Clock;
}

/** Of a throwaway certificate made now, in whole seconds, as certificates have it. */
export function throwawayValidity(now: Date): Validity {
  const second = Math.floor(now.getTime() / 1000) * 1000;
  return { notBefore: new Date(second - 60_000), notAfter: new Date(second + lifetime) };
}

/** @returns DER */
export function throwawayRoot(
  signer: CertificateSigner,
  validity: Validity,
  { trustDomain }: Surroundings,
): Promise<Uint8Array> {
  return createRootCertificate({ signer, subject: 'Citadel rehearsal root', trustDomain, ...validity });
}

/** As the production root signs: the same code, over another key. @returns DER */
export async function throwawayIssuing(
  root: { readonly certificate: Uint8Array; readonly signer: CertificateSigner; readonly keyId: string },
  key: CertificateSigner,
  validity: Validity,
  { trustDomain, clock }: Surroundings,
): Promise<Uint8Array> {
  const { certificate, signer, keyId } = root;
  const authority = authorityRecord({
    kind: 'root',
    state: 'prepared',
    keyBackend: 'rehearsal',
    keyId,
    certificate,
    createdAt: clock.now(),
  });
  const upstream = createRootUpstream({ trustDomain, authority, root: certificate, signer, clock });
  const commonName = 'Citadel rehearsal issuing authority';
  const issued = await upstream.signIssuingAuthority({
    certificateRequest: await createCertificateRequest({ signer: key, subject: commonName }),
    publicKey: key.publicKey,
    commonName,
    ...validity,
  });
  return issued.certificate;
}
