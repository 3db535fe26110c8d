import { CitadelError, type Clock } from '../../kernel/index.ts';
import { type CertificateSigner, createIssuingCertificate, parseCertificate } from '../../pki/index.ts';
import type {
  AuthorityRecord,
  IssuingAuthorityChain,
  IssuingAuthorityRequest,
  UpstreamAuthority,
} from '../ports/index.ts';

export interface RootUpstreamOptions {
  readonly trustDomain: string;
  /** The root, or an imported intermediate below it, whose key signs issuing authorities. */
  readonly authority: AuthorityRecord;
  readonly root: Uint8Array;
  readonly signer: CertificateSigner;
  readonly clock: Clock;
}

/**
 * Our own root (or an imported authority below one) as the signer of issuing authorities.
 * @throws CitadelError FailedPrecondition where its certificate has ended
 */
export function createRootUpstream(options: RootUpstreamOptions): UpstreamAuthority {
  const { authority, root, signer, trustDomain, clock } = options;
  const parsed = parseCertificate(authority.certificate);
  if (parsed.notAfter <= clock.now())
    throw new CitadelError(
      'FailedPrecondition',
      authority.kind === 'root'
        ? 'the root has ended: stop the server and replace the root (citadel rotate recover)'
        : 'the imported authority has ended; give it a new certificate',
    );
  return {
    kind: 'root',
    async signIssuingAuthority(request: IssuingAuthorityRequest): Promise<IssuingAuthorityChain> {
      const earliest = new Date(Math.max(request.notBefore.getTime(), parsed.notBefore.getTime()));
      const latest = new Date(Math.min(request.notAfter.getTime(), parsed.notAfter.getTime()));
      const certificate = await createIssuingCertificate({
        issuerCertificate: authority.certificate,
        issuerSigner: signer,
        publicKey: request.publicKey,
        subject: request.commonName,
        notBefore: earliest,
        notAfter: latest,
        trustDomain,
      });
      const intermediates =
        authority.kind === 'root' ? [] : [authority.certificate, ...authority.intermediates];
      return { certificate, intermediates, root };
    },
    root: () => Promise.resolve(root),
    check: async () => {
      await signer.sign(new Uint8Array(32));
    },
  };
}
