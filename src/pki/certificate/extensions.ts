import { context, type DerReader, oidText, tag, walk } from '../der/index.ts';
import { type AlternativeNames, readAlternativeNames } from './general-names.ts';
import { extendedKeyUsageByKey, extensionByKey, extensionOids, type KnownExtension, oidKey } from './oids.ts';

/** The extensions of a certificate or a request; what is not known is kept by its OID. */
export interface Extensions {
  /** Dotted OIDs, in order. */
  present: string[];
  /** Dotted OIDs of those marked critical. */
  critical: string[];
  subjectKeyIdentifier?: Buffer;
  authorityKeyIdentifier?: Buffer;
  /** The authority key identifier has its certificate's issuer or serial number, too; nothing here goes by them. */
  namesAuthorityCertificate?: boolean;
  /** As DerReader.namedBits gives them. */
  keyUsage?: number;
  /** `serverAuth`, `clientAuth`, or a dotted OID. */
  extendedKeyUsage?: string[];
  basicConstraints?: { readonly isCa: boolean; readonly pathLength: number | undefined };
  subjectAltName?: AlternativeNames;
}

/** Reads `Extensions` (RFC 5280, 4.1): at least one, none twice. */
export function readExtensions(reader: DerReader): Extensions {
  const list = reader.sequence('the extensions');
  if (list.atEnd) throw list.malformed('the extensions are empty');
  const extensions: Extensions = { present: [], critical: [] };
  while (!list.atEnd) {
    const extension = list.sequence('an extension');
    const type = extension.oid("an extension's type");
    const known = extensionByKey.get(oidKey(type));
    const dotted = known ? extensionOids[known] : oidText(type);
    if (extensions.present.includes(dotted)) throw list.malformed(`the extension ${dotted} appears twice`);
    extensions.present.push(dotted);
    if (extension.peek() === tag.boolean) {
      if (!extension.boolean("an extension's criticality")) {
        throw list.malformed("an extension's criticality has its default written out");
      }
      extensions.critical.push(dotted);
    }
    const value = extension.enterOctets("an extension's value");
    extension.finish('an extension');
    if (known) readKnown(known, value, extensions);
  }
  return extensions;
}

function readKnown(kind: KnownExtension, value: DerReader, into: Extensions): void {
  switch (kind) {
    case 'subjectKeyIdentifier':
      into.subjectKeyIdentifier = value.content(tag.octetString, 'the subject key identifier');
      break;
    case 'authorityKeyIdentifier':
      readAuthorityKeyIdentifier(value, into);
      break;
    case 'keyUsage':
      into.keyUsage = value.namedBits('the key usage');
      break;
    case 'extendedKeyUsage':
      into.extendedKeyUsage = readExtendedKeyUsage(value);
      break;
    case 'basicConstraints': {
      const constraints = value.sequence('the basic constraints');
      const isCa = constraints.peek() === tag.boolean && constraints.boolean('the CA flag');
      const pathLength = constraints.atEnd ? undefined : constraints.smallInteger('the path length');
      constraints.finish('the basic constraints');
      into.basicConstraints = { isCa, pathLength };
      break;
    }
    case 'subjectAltName':
      into.subjectAltName = readAlternativeNames(value, 'the subject alternative name');
      break;
  }
  value.finish('an extension');
}

function readAuthorityKeyIdentifier(value: DerReader, into: Extensions): void {
  const identifier = value.sequence('the authority key identifier');
  const keyIdentifier = context(0, 'primitive');
  if (identifier.peek() === keyIdentifier) {
    into.authorityKeyIdentifier = identifier.content(keyIdentifier, 'the authority key identifier');
  }
  into.namesAuthorityCertificate = !identifier.atEnd;
  walk(identifier, 'the authority key identifier');
}

function readExtendedKeyUsage(value: DerReader): string[] {
  const list = value.sequence('the extended key usage');
  if (list.atEnd) throw value.malformed('the extended key usage is empty');
  const usages: string[] = [];
  while (!list.atEnd) {
    const purpose = list.oid('the extended key usage');
    usages.push(extendedKeyUsageByKey.get(oidKey(purpose)) ?? oidText(purpose));
  }
  return usages;
}
