import { createPublicKey, type KeyObject } from 'node:crypto';
import {
  DerReader,
  readBitString,
  readIntegerBytes,
  readOid,
  readSmallInteger,
  readTime,
  tags,
} from './der.ts';
import { SpiffeError } from './errors.ts';
import { type Extensions, readExtensions } from './extensions.ts';

/** Largest certificate taken, in bytes of DER. */
export const MAX_CERTIFICATE_BYTES = 32 * 1024;

interface Fields {
  readonly tbs: Buffer;
  readonly serial: Buffer;
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly spki: Buffer;
  readonly extensions: Extensions;
  /** OID of the signature algorithm, and its parameters' DER, empty where absent. */
  readonly algorithm: { readonly oid: string; readonly parameters: Buffer };
  readonly signature: Buffer;
}

/** An X.509 v3 certificate (RFC 5280 4.1), read strictly; whether it may be trusted is for others to say. */
export class Certificate {
  /** A copy of what was parsed: later changes to the input do not reach it. */
  readonly der: Buffer;
  readonly fields: Fields;
  #publicKey: KeyObject | undefined;

  private constructor(der: Buffer, fields: Fields) {
    this.der = der;
    this.fields = fields;
  }

  /** Parses exactly one certificate. @throws SpiffeError with rule `der`, `certificate`, `certificate-extension`, `certificate-size`. */
  static parse(der: Uint8Array): Certificate {
    if (der.length > MAX_CERTIFICATE_BYTES) throw tooLarge();
    const copy = Buffer.from(der);
    const outer = new DerReader(copy);
    const fields = readCertificate(outer.enter(tags.sequence));
    outer.end();
    return new Certificate(copy, fields);
  }

  /** Parses certificates in a row, as the Workload API sends a chain. */
  static parseAll(der: Uint8Array, limit: number): Certificate[] {
    const reader = new DerReader(Buffer.from(der.buffer, der.byteOffset, der.byteLength));
    const certificates: Certificate[] = [];
    while (!reader.done) {
      if (certificates.length === limit)
        throw new SpiffeError('chain-length', `there are more than ${limit} certificates`);
      certificates.push(Certificate.parse(reader.read(tags.sequence).raw));
    }
    return certificates;
  }

  /** Lower-case hex, two digits a byte. */
  get serialNumber(): string {
    const { serial } = this.fields;
    return (serial.length > 1 && serial[0] === 0 ? serial.subarray(1) : serial).toString('hex');
  }

  get notBefore(): Date {
    return new Date(this.fields.notBefore);
  }

  get notAfter(): Date {
    return new Date(this.fields.notAfter);
  }

  get extensions(): Extensions {
    return this.fields.extensions;
  }

  /** Imported on first use and kept: an import costs as much as a signature's verification. */
  get publicKey(): KeyObject {
    this.#publicKey ??= importKey(this.fields.spki);
    return this.#publicKey;
  }

  /** Issuer and subject are one and the same name (RFC 5280 6.1). */
  get selfIssued(): boolean {
    return this.fields.issuer.equals(this.fields.subject);
  }

  get hasSubject(): boolean {
    // An empty Name is 30 00.
    return this.fields.subject.length > 2;
  }

  equals(other: Certificate): boolean {
    return this.der.equals(other.der);
  }
}

function readCertificate(certificate: DerReader): Fields {
  const tbs = certificate.read(tags.sequence);
  const outerAlgorithm = certificate.read(tags.sequence);
  const signature = readBitString(certificate.read(tags.bitString));
  certificate.end();
  if (signature.unused !== 0) throw malformed('its signature is not made of whole bytes');

  const body = new DerReader(tbs.value);
  const version = body.readOptional(0xa0);
  if (version === undefined || readVersion(version.value) !== 2) throw malformed('it is not of version 3');
  const serial = readIntegerBytes(body.read(tags.integer));
  const innerAlgorithm = body.read(tags.sequence);
  if (!innerAlgorithm.raw.equals(outerAlgorithm.raw)) throw malformed('it names two signature algorithms');
  const issuer = body.read(tags.sequence).raw;
  const validity = body.enter(tags.sequence);
  const notBefore = readTime(validity.read());
  const notAfter = readTime(validity.read());
  validity.end();
  const subject = body.read(tags.sequence).raw;
  const spki = body.read(tags.sequence).raw;
  body.readOptional(0x81);
  body.readOptional(0x82);
  const wrapped = body.readOptional(0xa3);
  body.end();

  return {
    tbs: tbs.raw,
    serial,
    issuer,
    subject,
    notBefore,
    notAfter,
    spki,
    extensions: wrapped === undefined ? { unknownCritical: [] } : unwrapExtensions(wrapped.value),
    algorithm: readAlgorithm(outerAlgorithm.value),
    signature: signature.bytes,
  };
}

function readVersion(value: Buffer): number {
  const reader = new DerReader(value);
  const version = readSmallInteger(reader.read(tags.integer));
  reader.end();
  return version;
}

function unwrapExtensions(value: Buffer): Extensions {
  const reader = new DerReader(value);
  const extensions = readExtensions(reader.enter(tags.sequence));
  reader.end();
  return extensions;
}

function readAlgorithm(value: Buffer): Fields['algorithm'] {
  const reader = new DerReader(value);
  const oid = readOid(reader.read(tags.oid));
  const parameters = reader.done ? Buffer.alloc(0) : reader.read().raw;
  reader.end();
  return { oid, parameters };
}

function importKey(spki: Buffer): KeyObject {
  try {
    return createPublicKey({ key: spki, format: 'der', type: 'spki' });
  } catch (cause) {
    throw new SpiffeError('path-key', 'the certificate holds a public key that cannot be read', { cause });
  }
}

function malformed(what: string): SpiffeError {
  return new SpiffeError('certificate', `the certificate is malformed: ${what}`);
}

function tooLarge(): SpiffeError {
  return new SpiffeError('certificate-size', `the certificate is larger than ${MAX_CERTIFICATE_BYTES} bytes`);
}
