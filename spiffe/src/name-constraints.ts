import type { Certificate } from './certificate.ts';
import { SpiffeError } from './errors.ts';
import { type GeneralName, type NameConstraints, nameForms, nameText } from './general-name.ts';

// 1.2.840.113549.1.9.1 (emailAddress), as it stands in a subject's DER.
const emailAddressOid = Buffer.from('06092a864886f70d010901', 'hex');

/**
 * Checks the names of a certificate against the constraints of a CA above it (RFC 5280 4.2.1.10). URI and DNS
 * constraints are evaluated; of the other forms any constraint on a form that the certificate uses is a refusal, which
 * is the RFC's answer for forms that an application does not process.
 */
export function checkNames(certificate: Certificate, constraints: NameConstraints): void {
  const names = certificate.extensions.subjectAltName?.names ?? [];
  for (const name of names) {
    const permitted = constraints.permitted.filter(({ form }) => form === name.form);
    const excluded = constraints.excluded.filter(({ form }) => form === name.form);
    if (permitted.length + excluded.length === 0) continue;
    const matches = matcher(name);
    if (excluded.some(matches)) throw violation('is excluded by');
    if (permitted.length > 0 && !permitted.some(matches)) throw violation('is outside of');
  }
  checkSubject(certificate, constraints);
}

function matcher(name: GeneralName): (base: GeneralName) => boolean {
  if (name.form === nameForms.uri) {
    const host = uriHost(nameText(name));
    return (base) => hostMatches(host, nameText(base).toLowerCase());
  }
  if (name.form === nameForms.dns) {
    const dns = nameText(name).toLowerCase();
    return (base) => dnsMatches(dns, nameText(base).toLowerCase());
  }
  throw violation('is of a form that cannot be checked against');
}

/** The subject is a name too: a directory name, and where it holds an e-mail address, that. */
function checkSubject(certificate: Certificate, constraints: NameConstraints): void {
  if (!certificate.hasSubject) return;
  const constrained = new Set([...constraints.permitted, ...constraints.excluded].map(({ form }) => form));
  const hasEmail = certificate.fields.subject.includes(emailAddressOid);
  if (constrained.has(nameForms.directory) || (hasEmail && constrained.has(nameForms.email))) {
    throw violation('is of a form that cannot be checked against');
  }
}

/** A URI without a host name cannot be matched against a constraint, and is refused (RFC 5280 4.2.1.10). */
function uriHost(uri: string): string {
  const host = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?([a-z0-9._-]+)(?::\d*)?(?:[/?#]|$)/i.exec(uri)?.[1];
  if (host === undefined || /^\d{1,3}(?:\.\d{1,3}){3}$/.test(host))
    throw violation('has no host name to check against');
  return host.toLowerCase();
}

/** URI: `.example.org` stands for the hosts below it, `example.org` for that host alone. */
function hostMatches(host: string, base: string): boolean {
  return base.startsWith('.') ? host.length > base.length && host.endsWith(base) : host === base;
}

/** DNS: `example.org` stands for itself and all below it, the empty name for all. */
function dnsMatches(name: string, base: string): boolean {
  if (base === '' || name === base) return true;
  return name.endsWith(base.startsWith('.') ? base : `.${base}`);
}

function violation(how: string): SpiffeError {
  return new SpiffeError(
    'path-name-constraints',
    `a name of a certificate ${how} the name constraints of its issuer`,
  );
}
