import { isCitadelError } from '../../kernel/index.ts';
import { chainToRoot, type ParsedCertificate, parseCertificate } from '../certificate/index.ts';

/** An authority made elsewhere, about to be taken over. Certificates are DER. */
export interface AuthorityChainCheck {
  readonly certificate: Uint8Array;
  /** Between `certificate` and its root, in any order. */
  readonly intermediates: readonly Uint8Array[];
  readonly roots: readonly Uint8Array[];
  /** SubjectPublicKeyInfo, DER, of the key that comes with it. */
  readonly publicKey?: Uint8Array;
  /** Refused when the authority's own SAN names another one. */
  readonly trustDomain?: string;
  readonly at: Date;
}

/**
 * Whether Citadel could issue under this authority and whether others would accept it. The path is judged twice: by
 * chainToRoot and by pkijs's RFC 5280 path validation, which also knows name constraints and policies.
 * @returns what is wrong, each a sentence for the operator; empty when nothing is
 */
export async function checkAuthorityChain(check: AuthorityChainCheck): Promise<string[]> {
  let authority: ParsedCertificate;
  try {
    authority = parseCertificate(check.certificate);
    const chain = chainToRoot(authority, check.intermediates, check.roots, check.at);
    const findings = checkAuthority(authority, check);
    const { validatePath } = await import('./path-validation.ts');
    const refusal = await validatePath(chain, check.at);
    return refusal === undefined ? findings : [...findings, refusal];
  } catch (error) {
    if (isCitadelError(error)) return [error.message];
    throw error;
  }
}

function checkAuthority(authority: ParsedCertificate, check: AuthorityChainCheck): string[] {
  const findings: string[] = [];
  if (!authority.isCa) findings.push('the certificate is not an authority (CA:TRUE is missing)');
  if (!authority.keyUsage.includes('keyCertSign')) findings.push('its key usage lacks keyCertSign');
  if (authority.subjectKeyId === undefined) findings.push('it has no subject key identifier');
  if (authority.subject === '') findings.push('its subject is empty');
  if (check.publicKey && !Buffer.from(check.publicKey).equals(authority.publicKey.spki)) {
    findings.push('the key is not the one of the certificate');
  }
  const named = authority.uris.filter((uri) => uri.startsWith('spiffe://'));
  if (check.trustDomain !== undefined && named.some((uri) => uri !== `spiffe://${check.trustDomain}`)) {
    findings.push(`it names another trust domain: ${named.join(', ')}`);
  }
  return findings;
}
