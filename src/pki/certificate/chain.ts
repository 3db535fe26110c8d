import { verify } from 'node:crypto';
import { CitadelError } from '../../kernel/index.ts';
import {
  type AlgorithmSpec,
  algorithms,
  importPublicKey,
  readPublicKey,
  signatureIdentifiers,
} from '../keys/index.ts';
import { type ParsedCertificate, parseCertificate } from './parse.ts';
import { splitCertificate } from './read.ts';

/** By the AlgorithmIdentifier of a signature: which family of keys makes it, over which digest. */
const signatures: readonly { identifier: Buffer; family: AlgorithmSpec['family']; digest: string | null }[] =
  [
    { identifier: signatureIdentifiers.ecdsaSha256, family: 'ec', digest: 'sha256' },
    { identifier: signatureIdentifiers.ecdsaSha384, family: 'ec', digest: 'sha384' },
    { identifier: signatureIdentifiers.ecdsaSha512, family: 'ec', digest: 'sha512' },
    { identifier: signatureIdentifiers.rsaSha256, family: 'rsa', digest: 'sha256' },
    { identifier: signatureIdentifiers.rsaSha384, family: 'rsa', digest: 'sha384' },
    { identifier: signatureIdentifiers.rsaSha512, family: 'rsa', digest: 'sha512' },
    { identifier: signatureIdentifiers.ed25519, family: 'ed25519', digest: null },
    { identifier: signatureIdentifiers.mlDsa65, family: 'ml-dsa', digest: null },
  ];

/** How a signature with this AlgorithmIdentifier is verified by a key of this family; undefined: not at all. */
export function signatureScheme(identifier: Buffer, family: AlgorithmSpec['family']) {
  return signatures.find((scheme) => scheme.family === family && scheme.identifier.equals(identifier));
}

/**
 * Whether `certificate` names `issuer` as its issuer and bears its signature, and `issuer` may sign certificates.
 * Dates and path lengths are chainToRoot's business.
 */
export function verifyIssuedBy(certificate: ParsedCertificate, issuer: ParsedCertificate): boolean {
  if (!Buffer.from(certificate.issuerDer).equals(issuer.subjectDer)) return false;
  if (!issuer.isCa || !issuer.keyUsage.includes('keyCertSign')) return false;
  if (
    certificate.authorityKeyId !== undefined &&
    issuer.subjectKeyId !== undefined &&
    certificate.authorityKeyId !== issuer.subjectKeyId
  ) {
    return false;
  }
  const { tbsDer, signatureIdentifier, signature } = splitCertificate(certificate.der);
  const scheme = signatureScheme(signatureIdentifier, algorithms[issuer.publicKey.algorithm].family);
  if (!scheme) return false;
  try {
    return verify(scheme.digest, tbsDer, importPublicKey(readPublicKey(issuer.publicKey.spki)), signature);
  } catch {
    return false;
  }
}

const longestChain = 8;

/**
 * Finds the chain from a certificate to one of the roots, by signatures, authority flags, path lengths and dates
 * (RFC 5280, 6.1, without policies and name constraints, which Citadel's authorities do not carry).
 * @param intermediates in any order
 * @returns the certificate, its issuers, the root, in this order
 * @throws CitadelError FailedPrecondition when there is no such chain at `at`
 */
export function chainToRoot(
  certificate: Uint8Array | ParsedCertificate,
  intermediates: readonly Uint8Array[],
  roots: readonly Uint8Array[],
  at: Date,
): ParsedCertificate[] {
  const leaf = certificate instanceof Uint8Array ? parseCertificate(certificate) : certificate;
  const trusted = roots.map((root) => parseCertificate(root));
  const chain = extend(
    [leaf],
    intermediates.map((der) => parseCertificate(der)),
    trusted,
    at,
  );
  if (!chain) {
    throw new CitadelError(
      'FailedPrecondition',
      'the certificate does not chain to a trusted root at this time',
    );
  }
  return chain;
}

function extend(
  chain: readonly ParsedCertificate[],
  intermediates: readonly ParsedCertificate[],
  roots: readonly ParsedCertificate[],
  at: Date,
): ParsedCertificate[] | undefined {
  const last = chain[chain.length - 1];
  if (!last || chain.length > longestChain || !isCurrent(last, at)) return undefined;
  if (roots.some(({ fingerprint }) => fingerprint === last.fingerprint)) return [...chain];
  const below = chain.slice(1).filter(({ subject, issuer }) => subject !== issuer).length;
  for (const issuer of [...roots, ...intermediates]) {
    const known = chain.some(({ fingerprint }) => fingerprint === issuer.fingerprint);
    if (known || (issuer.pathLen !== undefined && issuer.pathLen < below) || !verifyIssuedBy(last, issuer))
      continue;
    const whole = extend([...chain, issuer], intermediates, roots, at);
    if (whole) return whole;
  }
  return undefined;
}

function isCurrent({ notBefore, notAfter }: ParsedCertificate, at: Date): boolean {
  return notBefore <= at && at <= notAfter;
}
