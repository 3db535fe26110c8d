import type { Certificate } from './certificate.ts';
import { SpiffeError } from './errors.ts';
import { extendedKeyUsages, keyUsageBits } from './extensions.ts';
import { checkNames } from './name-constraints.ts';
import { checkKey, isSignedBy, signatureAlgorithm } from './signature.ts';
import { checkSigning, hasTlsUsages } from './x509-svid.ts';

/** Signatures that one path search may verify: certificates that name each other in circles end here. */
const MAX_SIGNATURE_CHECKS = 64;

/** A validated path. */
export interface Path {
  /** Leaf first, without the authority. */
  readonly certificates: readonly Certificate[];
  readonly authority: Certificate;
}

interface Search {
  readonly intermediates: readonly Certificate[];
  readonly authorities: readonly Certificate[];
  readonly now: Date;
  signatureChecks: number;
  /** Why the first candidate path with sound signatures was refused: the most telling reason to give. */
  refusal: SpiffeError | undefined;
}

/**
 * Finds and validates a path from `leaf` over `intermediates` to one of `authorities` (RFC 5280 6.1). The caller has
 * checked the leaf by X509-SVID 4.
 * @throws SpiffeError why there is none.
 */
export function findPath(
  leaf: Certificate,
  intermediates: readonly Certificate[],
  authorities: readonly Certificate[],
  now: Date,
): Path {
  checkValidity(leaf, now);
  checkCritical(leaf);
  checkKey(leaf);
  signatureAlgorithm(leaf);
  const search: Search = { intermediates, authorities, now, signatureChecks: 0, refusal: undefined };
  const path = extend(search, leaf, []);
  if (path !== undefined) return path;
  throw (
    search.refusal ??
    new SpiffeError('path-no-authority', 'no authority of the trust domain vouches for the certificate')
  );
}

/** Goes depth first from `below` + `last` towards an authority. */
function extend(search: Search, last: Certificate, below: readonly Certificate[]): Path | undefined {
  for (const authority of issuersOf(last, search.authorities)) {
    const candidate = attempt(search, () => {
      if (!signed(search, last, authority)) return undefined;
      const path = { certificates: [...below, last], authority };
      validatePath(path, search.now);
      return path;
    });
    if (candidate !== undefined) return candidate;
  }
  for (const issuer of issuersOf(last, search.intermediates)) {
    if (issuer === last || below.includes(issuer)) continue;
    const candidate = attempt(search, () =>
      signed(search, last, issuer) ? extend(search, issuer, [...below, last]) : undefined,
    );
    if (candidate !== undefined) return candidate;
  }
  return undefined;
}

/** A refused candidate is no verdict on the others, but the end of the budget is. */
function attempt(search: Search, run: () => Path | undefined): Path | undefined {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof SpiffeError) || error.rule === 'path-complexity') throw error;
    search.refusal ??= error;
    return undefined;
  }
}

function signed(search: Search, certificate: Certificate, issuer: Certificate): boolean {
  if (search.signatureChecks++ === MAX_SIGNATURE_CHECKS) {
    throw new SpiffeError('path-complexity', 'the certificates are too entangled to find a path');
  }
  // The key comes first: an oversized one must not be worked with.
  checkKey(issuer);
  return isSignedBy(certificate, issuer);
}

/** Certificates that bear the issuer's name, byte for byte; those whose key identifier fits come first. */
function issuersOf(certificate: Certificate, candidates: readonly Certificate[]): readonly Certificate[] {
  const { issuer } = certificate.fields;
  const named = candidates.filter(({ fields }) => fields.subject.equals(issuer));
  const keyId = certificate.extensions.authorityKeyId;
  if (keyId === undefined || named.length < 2) return named;
  const fits = ({ extensions }: Certificate): boolean => extensions.subjectKeyId?.equals(keyId) === true;
  return [...named.filter(fits), ...named.filter((candidate) => !fits(candidate))];
}

/** RFC 5280 6.1.3 to 6.1.5 from the authority down; names and signatures have been followed by the search. */
function validatePath({ certificates, authority }: Path, now: Date): void {
  checkAuthority(authority, now);
  let left = authority.extensions.basicConstraints?.pathLength ?? Number.POSITIVE_INFINITY;
  const constraints = constraintsOf(authority);

  for (const certificate of certificates.toReversed()) {
    const isLeaf = certificate === certificates[0];
    checkValidity(certificate, now);
    checkCritical(certificate);
    // A self-issued CA carries no new name and adds no step (6.1.3 (b), 6.1.4 (l)): roots roll over by such ones.
    if (isLeaf || !certificate.selfIssued) for (const each of constraints) checkNames(certificate, each);
    if (isLeaf) return;
    checkIntermediate(certificate);
    if (!certificate.selfIssued && left-- <= 0) {
      throw new SpiffeError('path-length', 'there are more signing certificates than a path length allows');
    }
    left = Math.min(left, certificate.extensions.basicConstraints?.pathLength ?? left);
    constraints.push(...constraintsOf(certificate));
  }
}

/**
 * What an authority's own certificate must say. It is trusted as such, so its form is not held to X509-SVID: a root that
 * was taken over may lack a key usage. What it does say about its limits counts.
 */
function checkAuthority(authority: Certificate, now: Date): void {
  const { basicConstraints, keyUsage } = authority.extensions;
  if (basicConstraints?.ca !== true)
    throw new SpiffeError('signing-ca', 'the authority is no CA certificate');
  if (keyUsage !== undefined && (keyUsage.bits & keyUsageBits.keyCertSign) === 0) {
    throw new SpiffeError('signing-key-usage', 'the authority may not sign certificates');
  }
  checkValidity(authority, now);
  checkCritical(authority);
}

function checkIntermediate(certificate: Certificate): void {
  checkSigning(certificate);
  // X509-SVID 4.4 leaves it open whether usages nest. TLS stacks do nest them: what they refuse is refused here too.
  const usages = certificate.extensions.extendedKeyUsage;
  if (usages !== undefined && !usages.includes(extendedKeyUsages.any) && !hasTlsUsages(usages)) {
    throw new SpiffeError(
      'path-extended-key-usage',
      'a signing certificate is not for TLS servers and clients',
    );
  }
}

function constraintsOf({
  extensions,
}: Certificate): NonNullable<Certificate['extensions']['nameConstraints']>[] {
  return extensions.nameConstraints === undefined ? [] : [extensions.nameConstraints];
}

/** Both ends belong to the time of validity (RFC 5280 4.1.2.5). */
function checkValidity({ fields }: Certificate, now: Date): void {
  if (now < fields.notBefore) throw new SpiffeError('path-not-yet-valid', 'a certificate is not valid yet');
  // NotAfter counts whole seconds: its own second is still inside.
  if (now.getTime() >= fields.notAfter.getTime() + 1000)
    throw new SpiffeError('path-expired', 'a certificate has expired');
}

function checkCritical({ extensions }: Certificate): void {
  if (extensions.unknownCritical.length === 0) return;
  throw new SpiffeError(
    'path-critical-extension',
    'a certificate has a critical extension that is not known',
  );
}
