import { CitadelError } from '../../kernel/index.ts';
import { type ParsedCertificate, parseCertificate } from '../certificate/index.ts';
import {
  bitString,
  context,
  encode,
  octetString,
  oid,
  sequence,
  tag,
  time,
  unsignedInteger,
} from '../der/index.ts';
import {
  algorithms,
  type CertificateSigner,
  importPublicKey,
  readPublicKey,
  verifySignature,
} from '../keys/index.ts';
import { crlOids } from './oids.ts';
import { type RevocationReason, reasonCodes } from './reasons.ts';

/** One certificate that a CRL takes back. */
export interface CrlEntry {
  /** Lower-case hexadecimal. */
  readonly serial: string;
  readonly revokedAt: Date;
  readonly reason: RevocationReason;
}

export interface CrlOptions {
  /** DER, of the authority that issued what is taken back. */
  readonly issuerCertificate: Uint8Array;
  /** Holds the authority's key. */
  readonly signer: CertificateSigner;
  /** Larger than that of every earlier CRL of this authority (RFC 5280, 5.2.3). */
  readonly number: number;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  /** Each serial once. */
  readonly entries: readonly CrlEntry[];
}

const version2 = encode(tag.integer, Uint8Array.of(1));
const enumerated = 0x0a;

/**
 * A full CRL, version 2, with authority key identifier and CRL number (RFC 5280, 5).
 * @returns DER
 * @throws CitadelError FailedPrecondition when this authority cannot sign CRLs; Internal when what was signed does not
 *   verify; what the signer throws
 */
export async function createCrl(options: CrlOptions): Promise<Uint8Array> {
  const issuer = parseCertificate(options.issuerCertificate);
  const refusal = whyNoCrls(issuer);
  if (refusal !== undefined) throw new CitadelError('FailedPrecondition', refusal);
  const { signer } = options;
  if (!Buffer.from(issuer.publicKey.spki).equals(signer.publicKey))
    throw new CitadelError('FailedPrecondition', "the key is not the one of the authority's certificate");
  if (!(options.thisUpdate < options.nextUpdate))
    throw new CitadelError('InvalidArgument', 'the CRL would end before it begins');
  const { signatureIdentifier, digest } = algorithms[signer.algorithm];
  const tbs = encodeTbs(options, issuer, signatureIdentifier);
  const signature = await signer.sign(tbs);
  const object = importPublicKey(readPublicKey(issuer.publicKey.spki));
  if (!(await verifySignature(digest, tbs, { algorithm: signer.algorithm, object }, signature)))
    throw new CitadelError('Internal', 'the CRL failed its own check and was not issued');
  return sequence(tbs, signatureIdentifier, bitString(signature));
}

/** Why verifiers would not take a CRL of this authority, a sentence for the operator; undefined where they would. */
export function whyNoCrls({ keyUsage, subjectKeyId }: ParsedCertificate): string | undefined {
  if (!keyUsage.includes('cRLSign')) return "the authority's key usage lacks cRLSign: it signs no CRLs";
  return subjectKeyId === undefined
    ? 'the authority has no subject key identifier: it signs no CRLs'
    : undefined;
}

function encodeTbs(
  { number, thisUpdate, nextUpdate, entries }: CrlOptions,
  issuer: ParsedCertificate,
  signatureIdentifier: Uint8Array,
): Buffer {
  const authorityKeyId = Buffer.from(issuer.subjectKeyId ?? '', 'hex');
  // An empty list is left out (RFC 5280, 5.1.2.6).
  const list = entries.length === 0 ? [] : [sequence(Buffer.concat(entries.map(encodeEntry)))];
  return sequence(
    version2,
    signatureIdentifier,
    issuer.subjectDer,
    time(thisUpdate),
    time(nextUpdate),
    ...list,
    encode(
      context(0, 'constructed'),
      sequence(
        extension(crlOids.authorityKeyIdentifier, sequence(encode(context(0, 'primitive'), authorityKeyId))),
        extension(crlOids.cRLNumber, unsignedInteger(octetsOf(number))),
      ),
    ),
  );
}

function encodeEntry({ serial, revokedAt, reason }: CrlEntry): Buffer {
  const number = unsignedInteger(Buffer.from(serial.length % 2 === 0 ? serial : `0${serial}`, 'hex'));
  return sequence(number, time(revokedAt), ...entryExtensions(reason));
}

/** Of thousands of entries there are a handful of reasons: each is encoded once. */
const encodedReasons = new Map<RevocationReason, readonly Buffer[]>();

/** The reason that says nothing is left out (RFC 5280, 5.3.1). */
function entryExtensions(reason: RevocationReason): readonly Buffer[] {
  const known = encodedReasons.get(reason);
  if (known) return known;
  const code = reasonCodes[reason];
  const extensions =
    code === 0 ? [] : [sequence(extension(crlOids.reasonCode, encode(enumerated, Uint8Array.of(code))))];
  encodedReasons.set(reason, extensions);
  return extensions;
}

function extension(dotted: string, value: Uint8Array): Buffer {
  return sequence(oid(dotted), octetString(value));
}

function octetsOf(number: number): Uint8Array {
  const octets = Buffer.alloc(8);
  octets.writeBigUInt64BE(BigInt(number));
  return octets;
}
