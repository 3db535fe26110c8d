import { encodeCommonName, extensionOids, extensionRequestOid } from '../certificate/index.ts';
import { bitString, context, encode, octetString, oid, sequence, set, tag } from '../der/index.ts';
import { algorithms, type CertificateSigner } from '../keys/index.ts';
import { encodeDnsName, encodeUri } from '../leaf/index.ts';

export interface CertificateRequestOptions {
  readonly signer: CertificateSigner;
  /** Common name; default: an empty subject. */
  readonly subject?: string;
  readonly uris?: readonly string[];
  readonly dns?: readonly string[];
}

const version1 = encode(tag.integer, Uint8Array.of(0));

/**
 * Makes a PKCS #10 request (RFC 2986). The agent makes its requests with it, so it needs none of the X.509 libraries,
 * which would add half of the agent's memory.
 * @returns DER
 */
export async function createCertificateRequest(options: CertificateRequestOptions): Promise<Uint8Array> {
  const { signer, subject = '' } = options;
  const names = [...(options.uris ?? []).map(encodeUri), ...(options.dns ?? []).map(encodeDnsName)];
  const attributes = names.length === 0 ? [] : [requestedNames(names)];
  const info = sequence(
    version1,
    encodeCommonName(subject),
    signer.publicKey,
    encode(context(0, 'constructed'), ...attributes),
  );
  const signature = await signer.sign(info);
  return sequence(info, algorithms[signer.algorithm].signatureIdentifier, bitString(signature));
}

function requestedNames(names: readonly Uint8Array[]): Buffer {
  const extension = sequence(oid(extensionOids.subjectAltName), octetString(sequence(...names)));
  return sequence(oid(extensionRequestOid), set(sequence(extension)));
}
