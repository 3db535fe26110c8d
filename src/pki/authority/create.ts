import { CitadelError, systemEntropy } from '../../kernel/index.ts';
import { type ParsedCertificate, parseCertificate, verifyIssuedBy } from '../certificate/index.ts';
import { type CertificateSigner, keyIdentifier, readPublicKey } from '../keys/index.ts';

/** RFC 5280, 4.2.1.10. */
const nameConstraints = '2.5.29.30';

interface AuthorityOptions {
  /** Common name. */
  readonly subject: string;
  /**
   * A certificate, DER, whose subject is taken in place of `subject`, byte for byte, and with it its key identifier and name
   * constraints.
   */
  readonly subjectOf?: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Named as `spiffe://<trust domain>` in a URI SAN (X509-SVID, 2 and 4.2). */
  readonly trustDomain?: string;
  /** How many authorities may stand below; undefined: any number. */
  readonly pathLen?: number | undefined;
  /** 16 random octets; default: from the system. */
  readonly serial?: Uint8Array;
}

export interface RootCertificateOptions extends AuthorityOptions {
  readonly signer: CertificateSigner;
}

export interface IssuingCertificateOptions extends AuthorityOptions {
  /** DER. */
  readonly issuerCertificate: Uint8Array;
  /** Holds the issuer's key. */
  readonly issuerSigner: CertificateSigner;
  /** The new authority's key: SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
}

export interface CrossCertificateOptions {
  /** The root that certifies, DER. */
  readonly issuerCertificate: Uint8Array;
  /** Holds its key. */
  readonly issuerSigner: CertificateSigner;
  /** The root that is certified, DER. */
  readonly certificate: Uint8Array;
  /** See `AuthoritiesBelow`; default 1: an issuing authority. */
  readonly below?: AuthoritiesBelow;
  /** Named in it where the root that is certified names none. */
  readonly trustDomain?: string;
}

/** How many authorities stand between a root and leaves; `unknown`: as many as the root itself permits. */
export type AuthoritiesBelow = number | 'unknown';

/**
 * A self-signed root; `pathLen` is left open by default.
 * @returns DER
 * @throws CitadelError Internal when what was signed does not verify; what the signer throws
 */
export async function createRootCertificate(options: RootCertificateOptions): Promise<Uint8Array> {
  return createAuthority({ ...options, publicKey: options.signer.publicKey }, options.signer, undefined);
}

/**
 * A certificate for an authority below another one; `pathLen` is 0 by default: it issues leaves alone.
 * @returns DER
 * @throws CitadelError FailedPrecondition when the issuer may not issue it; Internal when what was signed does not verify
 */
export async function createIssuingCertificate(options: IssuingCertificateOptions): Promise<Uint8Array> {
  const issuer = parseCertificate(options.issuerCertificate);
  if (!issuer.isCa || !issuer.keyUsage.includes('keyCertSign') || issuer.pathLen === 0) {
    throw new CitadelError('FailedPrecondition', 'this authority may not have authorities below it');
  }
  if (!Buffer.from(issuer.publicKey.spki).equals(options.issuerSigner.publicKey)) {
    throw new CitadelError('FailedPrecondition', "the key is not the one of the authority's certificate");
  }
  if (options.notAfter > issuer.notAfter) {
    throw new CitadelError('FailedPrecondition', 'the new authority would outlive the one above it');
  }
  return createAuthority({ pathLen: 0, ...options }, options.issuerSigner, issuer);
}

/** Whether a root may certify another one that has authorities below it. @param root DER */
export function mayCrossSign(root: Uint8Array, below: AuthoritiesBelow = 1): boolean {
  const { pathLen } = parseCertificate(root);
  return pathLen === undefined || (below !== 'unknown' && pathLen > below);
}

/**
 * A certificate of one root for the name and the key of another (a cross certificate, RFC 5280, 3.2), so that who knows the
 * first alone finds a path to it from what is under the second. It lives no longer than either, and what the second may not
 * have below it this may not either: path length and name constraints are the same, and so is the key identifier, which those
 * below name their issuer by.
 * @returns DER
 * @throws CitadelError FailedPrecondition when the issuer may not issue it; Internal when what was signed does not verify
 */
export async function createCrossCertificate(options: CrossCertificateOptions): Promise<Uint8Array> {
  const issuer = parseCertificate(options.issuerCertificate);
  const certified = parseCertificate(options.certificate);
  const { below = 1 } = options;
  if (!mayCrossSign(options.issuerCertificate, below))
    throw new CitadelError('FailedPrecondition', 'the root may not have an authority above an issuing one');
  return createIssuingCertificate({
    issuerCertificate: options.issuerCertificate,
    issuerSigner: options.issuerSigner,
    publicKey: certified.publicKey.spki,
    subject: certified.subject,
    subjectOf: options.certificate,
    notBefore: new Date(Math.max(issuer.notBefore.getTime(), certified.notBefore.getTime())),
    notAfter: new Date(Math.min(issuer.notAfter.getTime(), certified.notAfter.getTime())),
    ...pathLenOf(certified, below),
    ...(options.trustDomain === undefined ? {} : { trustDomain: options.trustDomain }),
  });
}

function pathLenOf({ pathLen }: ParsedCertificate, below: AuthoritiesBelow) {
  if (below === 'unknown') return { pathLen };
  return { pathLen: pathLen === undefined ? below : Math.min(pathLen, below) };
}

async function createAuthority(
  options: AuthorityOptions & { readonly publicKey: Uint8Array },
  signer: CertificateSigner,
  issuer: ParsedCertificate | undefined,
): Promise<Uint8Array> {
  if (options.subject === '') throw new CitadelError('InvalidArgument', 'an authority needs a name');
  if (!(options.notBefore < options.notAfter)) {
    throw new CitadelError('InvalidArgument', 'the authority would end before it begins');
  }
  // Loaded when an authority is made, which is seldom: the library takes some 20 MB of memory.
  const x509 = await import('./x509.ts');
  const { signingProvider } = await import('./provider.ts');
  const { crypto, privateKey, signingAlgorithm } = signingProvider(signer);
  const like = options.subjectOf && new x509.X509Certificate(copy(options.subjectOf));
  const keyId =
    (like && parseCertificate(new Uint8Array(like.rawData)).subjectKeyId) ??
    keyIdentifier(readPublicKey(options.publicKey).keyBits).toString('hex');
  const constraints = like?.getExtension(nameConstraints);
  const extensions: InstanceType<typeof x509.Extension>[] = [
    new x509.BasicConstraintsExtension(true, options.pathLen, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    new x509.SubjectKeyIdentifierExtension(keyId),
    ...(constraints ? [constraints] : []),
  ];
  if (issuer?.subjectKeyId !== undefined) {
    extensions.push(new x509.AuthorityKeyIdentifierExtension(issuer.subjectKeyId));
  }
  if (options.trustDomain !== undefined) {
    const value = `spiffe://${options.trustDomain}`;
    extensions.push(new x509.SubjectAlternativeNameExtension([{ type: 'url', value }]));
  }
  const name = like ? like.subjectName : new x509.Name([{ CN: [{ utf8String: options.subject }] }]);
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: positiveSerial(options.serial ?? systemEntropy.bytes(16)),
      subject: name,
      issuer: issuer ? new x509.X509Certificate(copy(issuer.der)).subjectName : name,
      notBefore: options.notBefore,
      notAfter: options.notAfter,
      publicKey: copy(options.publicKey),
      signingKey: privateKey,
      signingAlgorithm,
      extensions,
    },
    crypto,
  );
  const der = new Uint8Array(certificate.rawData);
  const parsed = parseCertificate(der);
  if (!verifyIssuedBy(parsed, issuer ?? parsed)) {
    throw new CitadelError('Internal', 'the certificate failed its own check and was not issued');
  }
  return der;
}

/** A serial number with its two upper bits 01: positive, and always of the same length. */
function positiveSerial(octets: Uint8Array): string {
  const serial = Buffer.from(octets);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial.toString('hex');
}

/** The libraries want an ArrayBuffer of their own. */
function copy(octets: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(octets);
}
