import { isCitadelError } from '../../kernel/index.ts';
import {
  extensionOids,
  keyUsageBits,
  readTbs,
  splitCertificate,
  type TbsFields,
} from '../certificate/index.ts';
import { DerReader, tag } from '../der/index.ts';
import { keyIdentifier, readPublicKey } from '../keys/index.ts';
import { type LeafProfile, svidProfile } from './profile.ts';

/** What the issuer of a leaf meant to certify. */
export interface LeafExpectations {
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  /** The SPIFFE ID. */
  readonly uri: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Default: svidProfile. */
  readonly profile?: LeafProfile;
  readonly dns?: readonly string[];
  readonly ips?: readonly string[];
}

const { keyUsage, subjectAltName, basicConstraints } = extensionOids;
const allowedExtensions: ReadonlySet<string> = new Set(Object.values(extensionOids));
const mustBeCritical: ReadonlySet<string> = new Set([keyUsage, basicConstraints, subjectAltName]);
const shortestSerial = 8;
const longestSerial = 20;

/**
 * Reads a leaf back and holds it against what was meant and against the standards. It shares no code with the encoder.
 * @param der TBSCertificate before it is signed, or the whole certificate
 * @returns what is wrong, for the operator; empty when nothing is
 */
export function lintLeaf(der: Uint8Array, expected: LeafExpectations): string[] {
  try {
    return lintTbs(readTbs(isCertificate(der) ? splitCertificate(der).tbsDer : der), expected);
  } catch (error) {
    if (isCitadelError(error, 'InvalidArgument')) return [error.message];
    throw error;
  }
}

/** A certificate begins with a SEQUENCE, its TBSCertificate; that one with the version. */
function isCertificate(der: Uint8Array): boolean {
  return DerReader.over(der, 'certificate').sequence('the certificate').peek() === tag.sequence;
}

function lintTbs(tbs: TbsFields, expected: LeafExpectations): string[] {
  const { extensions } = tbs;
  const profile = expected.profile ?? svidProfile;
  const findings: string[] = [];
  const demand = (holds: boolean, finding: string): void => {
    if (!holds) findings.push(finding);
  };

  demand(tbs.version === 3, 'it is not version 3 (RFC 5280, 4.1.2.1)');
  demand(
    tbs.serial.length <= longestSerial && tbs.serial.length >= shortestSerial,
    'its serial number is not one of 64 bits or more in 20 octets or fewer (RFC 5280, 4.1.2.2)',
  );
  demand(tbs.subjectDer.length === 2, 'its subject is not empty');
  demand(tbs.issuerDer.length > 2, 'its issuer is empty (RFC 5280, 4.1.2.4)');
  demand(sameSecond(tbs.notBefore, expected.notBefore), 'its notBefore is not the one decided');
  demand(sameSecond(tbs.notAfter, expected.notAfter), 'its notAfter is not the one decided');
  demand(tbs.spki.equals(expected.spki), "its public key is not the request's");

  demand(extensions.present.length === allowedExtensions.size, 'it lacks an extension');
  for (const dotted of extensions.present)
    demand(allowedExtensions.has(dotted), `it has the extension ${dotted}`);
  demand(
    extensions.critical.length === mustBeCritical.size &&
      extensions.critical.every((dotted) => mustBeCritical.has(dotted)),
    `its critical extensions are ${extensions.critical.join(', ')}`,
  );
  demand(
    extensions.basicConstraints?.isCa === false && extensions.basicConstraints.pathLength === undefined,
    'its basic constraints do not say CA:FALSE (X509-SVID, 4.1)',
  );
  demand(
    extensions.keyUsage === keyUsageBits(profile.keyUsage),
    "its key usage is not the profile's (X509-SVID, 4.3)",
  );
  demand(
    extensions.extendedKeyUsage?.join() === profile.extendedKeyUsage.join(),
    "its extended key usage is not the profile's (X509-SVID, 4.4)",
  );
  demand((extensions.authorityKeyIdentifier?.length ?? 0) > 0, "it lacks its authority's key identifier");
  demand(
    extensions.namesAuthorityCertificate === false,
    'its authority key identifier has more than the identifier of a key',
  );
  demand(
    extensions.subjectKeyIdentifier?.equals(keyIdentifier(readPublicKey(tbs.spki).keyBits)) === true,
    'its subject key identifier is not that of its key',
  );

  const names = extensions.subjectAltName;
  demand(
    names?.uris.length === 1 && names.uris[0] === expected.uri,
    'its URI SAN is not the one SPIFFE ID (X509-SVID, 2)',
  );
  demand(names?.others === 0, 'it has a SAN of another kind');
  demand(sameNames(names?.dns, expected.dns), 'its DNS names are not those decided');
  demand(sameNames(names?.ips, expected.ips), 'its IP addresses are not those decided');
  return findings;
}

function sameSecond(a: Date, b: Date): boolean {
  return Math.floor(a.getTime() / 1000) === Math.floor(b.getTime() / 1000);
}

function sameNames(written: readonly string[] = [], meant: readonly string[] = []): boolean {
  return written.length === meant.length && written.every((name, index) => name === meant[index]);
}
