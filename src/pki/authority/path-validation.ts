import { X509Certificate } from 'node:crypto';
import { Certificate, CertificateChainValidationEngine, CryptoEngine } from 'pkijs';
import type { ParsedCertificate } from '../certificate/index.ts';
import { type AlgorithmSpec, algorithms } from '../keys/index.ts';
import { provider } from './provider.ts';

const engine = new CryptoEngine({ name: 'citadel', crypto: provider, subtle: provider.subtle });

const unknownToPkijs: ReadonlySet<string> = new Set<AlgorithmSpec['family']>(['ed25519', 'ml-dsa']);

/**
 * A second opinion on a path: RFC 5280's path validation by pkijs or, where an Ed25519 or ML-DSA key has signed, which pkijs
 * does not know, OpenSSL's view of each link.
 * @param chain the certificate, its issuers, the root
 * @returns why the path is refused; undefined when it is valid
 */
export async function validatePath(
  chain: readonly ParsedCertificate[],
  at: Date,
): Promise<string | undefined> {
  if (chain.some(({ publicKey }) => unknownToPkijs.has(algorithms[publicKey.algorithm].family)))
    return validateLinks(chain);
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

function validateLinks(chain: readonly ParsedCertificate[]): string | undefined {
  const certificates = chain.map(({ der }) => new X509Certificate(der));
  const broken = certificates.some((certificate, index) => {
    const issuer = certificates[index + 1] ?? certificate;
    return !certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey);
  });
  return broken ? 'OpenSSL refuses a link of its path' : undefined;
}
