import { createHash } from 'node:crypto';
import { CitadelError } from '../../kernel/index.ts';
import { type KeyAlgorithm, type PublicKey, readPublicKey } from '../keys/index.ts';
import { readSinglePem } from '../pem.ts';
import { noNames } from './general-names.ts';
import { type KeyUsage, keyUsages } from './oids.ts';
import { readCertificate } from './read.ts';

const largestCertificate = 64 * 1024;

/** What a certificate says. Nothing in it has been verified. */
export interface ParsedCertificate {
  readonly der: Uint8Array;
  /** RFC 4514: `CN=Citadel root`. */
  readonly subject: string;
  readonly issuer: string;
  /** Name, DER: names are compared by their bytes. */
  readonly subjectDer: Uint8Array;
  readonly issuerDer: Uint8Array;
  /** Lower case, whole octets, without leading zero octets. */
  readonly serialHex: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly isCa: boolean;
  /** How many authorities may stand below; undefined: any number. */
  readonly pathLen: number | undefined;
  readonly uris: readonly string[];
  readonly dns: readonly string[];
  readonly ips: readonly string[];
  readonly publicKey: { readonly algorithm: KeyAlgorithm; readonly spki: Uint8Array };
  readonly keyUsage: readonly KeyUsage[];
  /** `serverAuth`, `clientAuth`, or dotted OIDs; undefined: any purpose. */
  readonly extendedKeyUsage: readonly string[] | undefined;
  /** Lower-case hexadecimal. */
  readonly subjectKeyId: string | undefined;
  readonly authorityKeyId: string | undefined;
  /** SHA-256 of the DER, lower-case hexadecimal. */
  readonly fingerprint: string;
}

/**
 * Reads a certificate, DER or one PEM block.
 * @throws CitadelError InvalidArgument when it is malformed or its key is weak or of an algorithm that is not offered;
 *   ResourceExhausted above 64 KiB
 */
export function parseCertificate(certificate: Uint8Array | string): ParsedCertificate {
  const der =
    typeof certificate === 'string'
      ? readSinglePem(certificate, ['CERTIFICATE'], 'certificate')
      : certificate;
  if (der.length > largestCertificate)
    throw new CitadelError('ResourceExhausted', 'the certificate is above 64 KiB');
  const { tbs } = readCertificate(der);
  const { extensions } = tbs;
  const key: PublicKey = readPublicKey(tbs.spki, 'certificate');
  const names = extensions.subjectAltName ?? noNames;
  const bits = extensions.keyUsage ?? 0;
  return {
    der,
    subject: tbs.subject,
    issuer: tbs.issuer,
    subjectDer: tbs.subjectDer,
    issuerDer: tbs.issuerDer,
    serialHex: tbs.serial.toString('hex'),
    notBefore: tbs.notBefore,
    notAfter: tbs.notAfter,
    isCa: extensions.basicConstraints?.isCa ?? false,
    pathLen: extensions.basicConstraints?.pathLength,
    uris: names.uris,
    dns: names.dns,
    ips: names.ips,
    publicKey: { algorithm: key.algorithm, spki: key.spki },
    keyUsage: keyUsages.filter((_, index) => bits & (1 << (15 - index))),
    extendedKeyUsage: extensions.extendedKeyUsage,
    subjectKeyId: extensions.subjectKeyIdentifier?.toString('hex'),
    authorityKeyId: extensions.authorityKeyIdentifier?.toString('hex'),
    fingerprint: createHash('sha256').update(der).digest('hex'),
  };
}
