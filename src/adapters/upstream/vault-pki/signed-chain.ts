import type { IssuingAuthorityChain, IssuingAuthorityRequest } from '../../../domain/ports/index.ts';
import { CitadelError, isCitadelError } from '../../../kernel/index.ts';
import {
  chainToRoot,
  type ParsedCertificate,
  parseCertificate,
  parsePemCertificates,
} from '../../../pki/index.ts';

/** Clocks differ: the answer may begin this much before what was asked for. */
const tolerance = 60_000;

/**
 * Checks what the upstream signed before anything is built on it.
 * @param signed PEM; issuers in any order, the root among them
 * @throws CitadelError FailedPrecondition: not for our key, not an authority, able to sign authorities itself, valid
 *   beyond what was asked, or without a chain to a root
 */
export function readSignedChain(
  signed: { readonly certificate: string; readonly issuers: readonly string[] },
  request: IssuingAuthorityRequest,
  now: Date,
): IssuingAuthorityChain {
  try {
    const certificate = parseCertificate(signed.certificate);
    requireFit(certificate, request);
    const issuers = signed.issuers.flatMap((pem) => parsePemCertificates(pem));
    const roots = issuers.filter((der) => isSelfIssued(parseCertificate(der)));
    if (roots.length === 0) throw unfit("the root is missing; add it to the chain of Vault's issuer");
    const chain = chainToRoot(certificate, issuers, roots, now);
    const root = chain.at(-1);
    if (!root || chain.length < 2) throw unfit('it is its own root');
    if (chain.some(({ notAfter }) => notAfter < certificate.notAfter)) throw unfit('it outlives its issuer');
    return {
      certificate: certificate.der,
      intermediates: chain.slice(1, -1).map(({ der }) => der),
      root: root.der,
    };
  } catch (error) {
    if (!isCitadelError(error) || error.code === 'FailedPrecondition') throw error;
    throw unfit(error.message);
  }
}

/**
 * The root above an issuer, which must be able to sign authorities.
 * @param chain DER: the issuer, then those above it in any order
 * @throws CitadelError FailedPrecondition
 */
export function readIssuerRoot(chain: readonly Uint8Array[], now: Date): Uint8Array {
  const [issuer] = chain.map((der) => parseCertificate(der));
  if (!issuer?.isCa || issuer.pathLen === 0)
    throw new CitadelError('FailedPrecondition', 'the issuer in Vault may not sign authorities');
  const roots = chain.filter((der) => isSelfIssued(parseCertificate(der)));
  if (roots.length === 0)
    throw new CitadelError(
      'FailedPrecondition',
      "the root is missing; add it to the chain of Vault's issuer",
    );
  try {
    return (chainToRoot(issuer, chain, roots, now).at(-1) ?? issuer).der;
  } catch (error) {
    if (!isCitadelError(error)) throw error;
    throw new CitadelError('FailedPrecondition', `the issuer in Vault is unfit: ${error.message}`);
  }
}

function requireFit(certificate: ParsedCertificate, request: IssuingAuthorityRequest): void {
  if (!Buffer.from(certificate.publicKey.spki).equals(request.publicKey))
    throw unfit('it is not for our key');
  if (!certificate.isCa || !certificate.keyUsage.includes('keyCertSign'))
    throw unfit('it may not sign certificates');
  if (!certificate.keyUsage.includes('cRLSign'))
    throw unfit(
      'its key usage lacks cRLSign, so that proxies could be given no CRL, and would refuse nothing',
    );
  if (certificate.pathLen !== 0) throw unfit('its path length is not 0');
  if (certificate.notAfter > request.notAfter) throw unfit('it ends later than asked');
  if (certificate.notBefore.getTime() < request.notBefore.getTime() - tolerance) {
    throw unfit('it begins earlier than asked');
  }
  if (certificate.notAfter <= request.notBefore) throw unfit('it has ended already');
}

function isSelfIssued(certificate: ParsedCertificate): boolean {
  return Buffer.from(certificate.subjectDer).equals(certificate.issuerDer);
}

function unfit(problem: string): CitadelError {
  return new CitadelError('FailedPrecondition', `the authority that Vault signed is unfit: ${problem}`);
}
