import { context, DerReader, readTime, tag } from '../der/index.ts';
import { type Extensions, readExtensions } from './extensions.ts';
import { readName } from './name.ts';

/** A TBSCertificate as it is written; every Buffer is a view of what was read. */
export interface TbsFields {
  /** 1 to 3. */
  readonly version: number;
  /** Positive, without the octet that keeps the sign. */
  readonly serial: Buffer;
  /** AlgorithmIdentifier, DER. */
  readonly signatureIdentifier: Buffer;
  /** Name, DER. */
  readonly issuerDer: Buffer;
  readonly subjectDer: Buffer;
  readonly issuer: string;
  readonly subject: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Buffer;
  readonly extensions: Extensions;
}

export interface CertificateFields {
  /** TBSCertificate, DER: what is signed. */
  readonly tbsDer: Buffer;
  readonly tbs: TbsFields;
  readonly signatureIdentifier: Buffer;
  readonly signature: Buffer;
}

const explicitVersion = context(0, 'constructed');
const issuerUniqueId = context(1, 'primitive');
const subjectUniqueId = context(2, 'primitive');
const explicitExtensions = context(3, 'constructed');

/** Splits a certificate into what is signed and the signature (RFC 5280, 4.1). @throws CitadelError InvalidArgument */
export function splitCertificate(der: Uint8Array): Omit<CertificateFields, 'tbs'> {
  const reader = DerReader.over(der, 'certificate');
  const certificate = reader.sequence('the certificate');
  reader.finish('the certificate');
  const tbsDer = certificate.element(tag.sequence, 'the certificate');
  const signatureIdentifier = certificate.element(tag.sequence, 'the signature algorithm');
  const signature = certificate.octetAlignedBits('the signature');
  certificate.finish('the certificate');
  return { tbsDer, signatureIdentifier, signature };
}

/** Reads a certificate strictly. @throws CitadelError InvalidArgument */
export function readCertificate(der: Uint8Array): CertificateFields {
  const parts = splitCertificate(der);
  const tbs = readTbs(parts.tbsDer);
  if (!tbs.signatureIdentifier.equals(parts.signatureIdentifier)) {
    throw DerReader.over(der, 'certificate').malformed('its two signature algorithms differ');
  }
  return { ...parts, tbs };
}

/** Reads a TBSCertificate strictly. @throws CitadelError InvalidArgument */
export function readTbs(der: Uint8Array): TbsFields {
  const outer = DerReader.over(der, 'certificate');
  const reader = outer.sequence('the certificate');
  outer.finish('the certificate');
  const version = readVersion(reader);
  const serial = reader.positiveInteger('the serial number');
  const signatureIdentifier = reader.element(tag.sequence, 'the signature algorithm');
  const issuerStart = reader.position;
  const issuer = readName(reader, 'the issuer');
  const issuerDer = reader.bytes.subarray(issuerStart, reader.position);
  const validity = reader.sequence('the validity');
  const notBefore = readTime(validity, 'notBefore');
  const notAfter = readTime(validity, 'notAfter');
  validity.finish('the validity');
  const subjectStart = reader.position;
  const subject = readName(reader, 'the subject');
  const subjectDer = reader.bytes.subarray(subjectStart, reader.position);
  const spki = reader.element(tag.sequence, 'the public key');
  for (const unused of [issuerUniqueId, subjectUniqueId]) {
    if (reader.peek() === unused) reader.content(unused, 'a unique identifier');
  }
  const extensions = readOptionalExtensions(reader, version);
  reader.finish('the certificate');
  return {
    version,
    serial,
    signatureIdentifier,
    issuerDer,
    subjectDer,
    issuer,
    subject,
    notBefore,
    notAfter,
    spki,
    extensions,
  };
}

function readVersion(reader: DerReader): number {
  if (reader.peek() !== explicitVersion) return 1;
  const explicit = reader.enter(explicitVersion, 'the version');
  const version = explicit.smallInteger('the version') + 1;
  explicit.finish('the version');
  if (version !== 2 && version !== 3) throw reader.malformed('the version is not one of X.509');
  return version;
}

function readOptionalExtensions(reader: DerReader, version: number): Extensions {
  if (reader.peek() !== explicitExtensions) return { present: [], critical: [] };
  if (version !== 3) throw reader.malformed('extensions need version 3');
  const explicit = reader.enter(explicitExtensions, 'the extensions');
  const extensions = readExtensions(explicit);
  explicit.finish('the extensions');
  return extensions;
}
