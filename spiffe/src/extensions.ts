import {
  DerReader,
  type Element,
  readBitString,
  readBoolean,
  readOid,
  readSmallInteger,
  tags,
} from './der.ts';
import { SpiffeError } from './errors.ts';
import {
  type GeneralName,
  type NameConstraints,
  readGeneralNames,
  readNameConstraints,
} from './general-name.ts';

/** Bits of the key usage extension (RFC 5280 4.2.1.3), the first bit highest. */
export const keyUsageBits = { digitalSignature: 0x8000, keyCertSign: 0x0400, cRLSign: 0x0200 } as const;

export const extendedKeyUsages = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  any: '2.5.29.37.0',
} as const;

/** What a certificate's extensions say, as far as an SVID's validation needs it. */
export interface Extensions {
  basicConstraints?: { readonly ca: boolean; readonly pathLength: number | undefined };
  keyUsage?: { readonly critical: boolean; readonly bits: number };
  extendedKeyUsage?: readonly string[];
  subjectAltName?: { readonly critical: boolean; readonly names: readonly GeneralName[] };
  nameConstraints?: NameConstraints;
  subjectKeyId?: Buffer;
  authorityKeyId?: Buffer;
  /** OIDs of critical extensions that this library does not process. */
  readonly unknownCritical: string[];
}

type Reader = (into: Extensions, critical: boolean, value: DerReader) => void;

const readers: Readonly<Record<string, Reader>> = {
  '2.5.29.14': (into, _critical, value) => {
    into.subjectKeyId = value.read(tags.octetString).value;
  },
  '2.5.29.15': (into, critical, value) => {
    const { bytes } = readBitString(value.read(tags.bitString));
    into.keyUsage = { critical, bits: ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0) };
  },
  '2.5.29.17': (into, critical, value) => {
    into.subjectAltName = { critical, names: readGeneralNames(value.enter(tags.sequence)) };
  },
  '2.5.29.19': (into, _critical, value) => {
    const fields = value.enter(tags.sequence);
    const flag = fields.readOptional(tags.boolean);
    const ca = flag !== undefined && readBoolean(flag);
    const length = fields.readOptional(tags.integer);
    fields.end();
    if (length !== undefined && !ca) throw malformed('a path length on a certificate that is no CA');
    into.basicConstraints = { ca, pathLength: length === undefined ? undefined : readSmallInteger(length) };
  },
  '2.5.29.30': (into, _critical, value) => {
    into.nameConstraints = readNameConstraints(value.enter(tags.sequence));
  },
  '2.5.29.35': (into, _critical, value) => {
    const keyId = value.enter(tags.sequence).readOptional(0x80);
    if (keyId !== undefined) into.authorityKeyId = keyId.value;
  },
  '2.5.29.37': (into, _critical, value) => {
    const usages = value.enter(tags.sequence);
    const oids: string[] = [];
    while (!usages.done) oids.push(readOid(usages.read(tags.oid)));
    if (oids.length === 0) throw malformed('an empty extended key usage');
    into.extendedKeyUsage = oids;
  },
};

/** Reads the content of `Extensions` (RFC 5280 4.2): none twice, each known one in full. */
export function readExtensions(list: DerReader): Extensions {
  const extensions: Extensions = { unknownCritical: [] };
  const seen = new Set<string>();
  while (!list.done) {
    const fields = list.enter(tags.sequence);
    const oid = readOid(fields.read(tags.oid));
    if (seen.has(oid)) throw malformed('an extension twice');
    seen.add(oid);
    // An explicit FALSE is not DER, but so common that refusing it would refuse sound certificates.
    const flag: Element | undefined = fields.readOptional(tags.boolean);
    const critical = flag !== undefined && readBoolean(flag);
    const value = new DerReader(fields.read(tags.octetString).value);
    fields.end();
    const reader = Object.hasOwn(readers, oid) ? readers[oid] : undefined;
    if (reader !== undefined) {
      reader(extensions, critical, value);
      value.end();
    } else if (critical) {
      extensions.unknownCritical.push(oid);
    }
  }
  if (seen.size === 0) throw malformed('an empty list of extensions');
  return extensions;
}

function malformed(what: string): SpiffeError {
  return new SpiffeError('certificate-extension', `the certificate has ${what}`);
}
