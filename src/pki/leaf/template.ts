import { encodeCommonName, extendedKeyUsageOids, extensionOids, keyUsageBits } from '../certificate/index.ts';
import {
  context,
  encode,
  headerLength,
  namedBits,
  octetString,
  oid,
  sequence,
  tag,
  writeHeader,
} from '../der/index.ts';
import type { LeafProfile } from './profile.ts';

/** The parts of a leaf's TBSCertificate that are the same in all that one issuer makes by one profile. */
export interface TbsTemplate {
  /** [0] version 3. */
  readonly version: Buffer;
  /** The signature's AlgorithmIdentifier and the issuer's Name. */
  readonly afterSerial: Buffer;
  /** The empty subject. */
  readonly subject: Buffer;
  /** All extensions but the last two, up to the octets of the subject key identifier. */
  readonly extensions: Buffer;
  /** The subject alternative name's type and criticality. */
  readonly alternativeName: Buffer;
}

const subjectKeyIdLength = 20;

const isTrue = encode(tag.boolean, Uint8Array.of(0xff));

function extension(dotted: string, critical: boolean, value: Uint8Array): Buffer {
  return sequence(oid(dotted), ...(critical ? [isTrue] : []), octetString(value));
}

/**
 * @param signatureIdentifier AlgorithmIdentifier, DER
 * @param issuer the authority's subject, byte for byte: verifiers compare names by their encoding
 * @param authorityKeyId the authority's own subject key identifier
 */
export function createTemplate(
  profile: LeafProfile,
  signatureIdentifier: Uint8Array,
  issuer: Uint8Array,
  authorityKeyId: Uint8Array,
): TbsTemplate {
  const purposes = profile.extendedKeyUsage.map((purpose) => oid(extendedKeyUsageOids[purpose]));
  const keyId = extension(
    extensionOids.subjectKeyIdentifier,
    false,
    octetString(new Uint8Array(subjectKeyIdLength)),
  );
  return {
    version: encode(context(0, 'constructed'), encode(tag.integer, Uint8Array.of(2))),
    afterSerial: Buffer.concat([signatureIdentifier, issuer]),
    subject: encodeCommonName(''),
    extensions: Buffer.concat([
      extension(extensionOids.keyUsage, true, namedBits(keyUsageBits(profile.keyUsage))),
      extension(extensionOids.extendedKeyUsage, false, sequence(...purposes)),
      extension(extensionOids.basicConstraints, true, sequence()),
      extension(
        extensionOids.authorityKeyIdentifier,
        false,
        sequence(encode(context(0, 'primitive'), authorityKeyId)),
      ),
      keyId.subarray(0, -subjectKeyIdLength),
    ]),
    alternativeName: Buffer.concat([oid(extensionOids.subjectAltName), isTrue]),
  };
}

export interface TbsVariables {
  /** INTEGER, DER. */
  readonly serial: Uint8Array;
  /** SEQUENCE of two Times, DER. */
  readonly validity: Uint8Array;
  readonly spki: Uint8Array;
  readonly subjectKeyId: Uint8Array;
  /** GeneralName elements, DER. */
  readonly names: readonly Uint8Array[];
}

/** Writes a TBSCertificate (RFC 5280, 4.1) into one buffer, all lengths reckoned beforehand. */
export function encodeLeafTbs(template: TbsTemplate, values: TbsVariables): Buffer {
  let namesLength = 0;
  for (const name of values.names) namesLength += name.length;
  const sanLength = headerLength(namesLength) + namesLength;
  const sanExtensionLength = template.alternativeName.length + headerLength(sanLength) + sanLength;
  const listLength =
    template.extensions.length + subjectKeyIdLength + headerLength(sanExtensionLength) + sanExtensionLength;
  const extensionsLength = headerLength(listLength) + listLength;
  const length =
    template.version.length +
    values.serial.length +
    template.afterSerial.length +
    values.validity.length +
    template.subject.length +
    values.spki.length +
    headerLength(extensionsLength) +
    extensionsLength;

  const out = Buffer.allocUnsafe(headerLength(length) + length);
  let at = writeHeader(out, 0, tag.sequence, length);
  const put = (part: Uint8Array): void => {
    out.set(part, at);
    at += part.length;
  };
  put(template.version);
  put(values.serial);
  put(template.afterSerial);
  put(values.validity);
  put(template.subject);
  put(values.spki);
  at = writeHeader(out, at, context(3, 'constructed'), extensionsLength);
  at = writeHeader(out, at, tag.sequence, listLength);
  put(template.extensions);
  put(values.subjectKeyId);
  at = writeHeader(out, at, tag.sequence, sanExtensionLength);
  put(template.alternativeName);
  at = writeHeader(out, at, tag.octetString, sanLength);
  at = writeHeader(out, at, tag.sequence, namesLength);
  for (const name of values.names) put(name);
  return out;
}
