import { Certificate, CertificateChainValidationEngine, CryptoEngine } from 'pkijs';
import type { ParsedCertificate } from '../certificate/index.ts';
import { provider } from './provider.ts';

const engine = new CryptoEngine({ name: 'citadel', crypto: provider, subtle: provider.subtle });

/**
 * RFC 5280's path validation by pkijs.
 * @param chain the certificate, its issuers, the root
 * @returns why the path is refused; undefined when it is valid
 */
export async function validatePath(
  chain: readonly ParsedCertificate[],
  at: Date,
): Promise<string | undefined> {
  const certificates = chain.map(({ der }) => Certificate.fromBER(new Uint8Array(der)));
  // The library looks for the end of the path in the last place.
  const validation = new CertificateChainValidationEngine({
    trustedCerts: certificates.slice(-1),
    certs: certificates.toReversed(),
    checkDate: at,
  });
  const { result, resultMessage } = await validation.verify({}, engine);
  return result ? undefined : `path validation (RFC 5280, 6.1) refuses it: ${resultMessage}`;
}
