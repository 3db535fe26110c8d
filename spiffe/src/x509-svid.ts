import { Certificate } from './certificate.ts';
import { SpiffeError } from './errors.ts';
import { extendedKeyUsages, keyUsageBits } from './extensions.ts';
import { type GeneralName, nameForms, nameText } from './general-name.ts';
import { encodePem, parsePem } from './pem.ts';
import { SpiffeId } from './spiffe-id.ts';

/** Longest chain taken: a leaf and nine intermediates. */
export const MAX_CHAIN_LENGTH = 10;

/** A chain in any form it travels in: PEM text, DER certificates in a row (Workload API), or a list of DER. */
export type ChainInput = string | Uint8Array | readonly Uint8Array[];

/**
 * An X.509-SVID: a leaf and the signing certificates that came with it, each valid in form by X509-SVID 2 to 4. Whether
 * an authority vouches for it is asked of {@link verifyX509Svid}.
 */
export class X509Svid {
  readonly id: SpiffeId;
  readonly leaf: Certificate;
  /** As sent, without the leaf. */
  readonly intermediates: readonly Certificate[];

  private constructor(id: SpiffeId, leaf: Certificate, intermediates: readonly Certificate[]) {
    this.id = id;
    this.leaf = leaf;
    this.intermediates = intermediates;
  }

  /** Leaf first. @throws SpiffeError naming the rule that the chain breaks. */
  static parse(input: ChainInput): X509Svid {
    const [leaf, ...intermediates] = parseChain(input);
    if (leaf === undefined) throw new SpiffeError('chain-empty', 'there is no certificate');
    const id = checkLeaf(leaf);
    for (const certificate of intermediates) checkSigning(certificate);
    return new X509Svid(id, leaf, intermediates);
  }

  get serialNumber(): string {
    return this.leaf.serialNumber;
  }

  get notBefore(): Date {
    return this.leaf.notBefore;
  }

  get notAfter(): Date {
    return this.leaf.notAfter;
  }

  /** Leaf first. */
  get chain(): readonly Certificate[] {
    return [this.leaf, ...this.intermediates];
  }

  toPem(): string {
    return encodePem(this.chain);
  }

  /** DER certificates in a row, the form of the Workload API's `x509_svid`. */
  toDer(): Buffer {
    return Buffer.concat(this.chain.map((certificate) => certificate.der));
  }
}

function parseChain(input: ChainInput): Certificate[] {
  if (typeof input === 'string') return parsePem(input, MAX_CHAIN_LENGTH);
  if (input instanceof Uint8Array) return Certificate.parseAll(input, MAX_CHAIN_LENGTH);
  if (input.length > MAX_CHAIN_LENGTH) {
    throw new SpiffeError('chain-length', `there are more than ${MAX_CHAIN_LENGTH} certificates`);
  }
  return input.map((der) => Certificate.parse(der));
}

function checkLeaf(leaf: Certificate): SpiffeId {
  const { basicConstraints, keyUsage, extendedKeyUsage, subjectAltName } = leaf.extensions;
  if (basicConstraints?.ca) throw new SpiffeError('leaf-ca', 'the leaf is a CA certificate');
  if (keyUsage === undefined || !keyUsage.critical) {
    throw new SpiffeError('leaf-key-usage', 'the leaf must have a critical key usage');
  }
  if ((keyUsage.bits & keyUsageBits.digitalSignature) === 0) {
    throw new SpiffeError('leaf-key-usage', 'the leaf must have the key usage digitalSignature');
  }
  if ((keyUsage.bits & (keyUsageBits.keyCertSign | keyUsageBits.cRLSign)) !== 0) {
    throw new SpiffeError('leaf-key-usage', 'the leaf must not have the key usage keyCertSign or cRLSign');
  }
  if (extendedKeyUsage !== undefined && !hasTlsUsages(extendedKeyUsage)) {
    throw new SpiffeError('leaf-extended-key-usage', 'the leaf must be for both serverAuth and clientAuth');
  }
  const [uri, ...others] = uriNames(leaf);
  if (uri === undefined) throw new SpiffeError('svid-uri-missing', 'the leaf has no URI name');
  if (others.length > 0) throw new SpiffeError('svid-uri-count', 'the leaf has more than one URI name');
  if (!leaf.hasSubject && subjectAltName?.critical !== true) {
    throw new SpiffeError('leaf-san-critical', 'the names of a leaf without a subject must be critical');
  }
  const id = SpiffeId.parse(nameText(uri));
  if (id.path === '') throw new SpiffeError('leaf-path', "the leaf's SPIFFE ID has no path");
  return id;
}

/** X509-SVID 3.2 and 4 for a signing certificate; one without a SPIFFE ID is allowed (it SHOULD have one). */
export function checkSigning(certificate: Certificate): void {
  const { basicConstraints, keyUsage } = certificate.extensions;
  if (basicConstraints?.ca !== true)
    throw new SpiffeError('signing-ca', 'a signing certificate is no CA certificate');
  if (keyUsage === undefined || (keyUsage.bits & keyUsageBits.keyCertSign) === 0) {
    throw new SpiffeError('signing-key-usage', 'a signing certificate must have the key usage keyCertSign');
  }
  const uris = uriNames(certificate).map(nameText);
  if (!uris.some((uri) => /^spiffe:/i.test(uri))) return;
  const [uri, ...others] = uris;
  if (uri === undefined || others.length > 0) {
    throw new SpiffeError(
      'svid-uri-count',
      'a signing certificate with a SPIFFE ID has more than one URI name',
    );
  }
  if (SpiffeId.parse(uri).path !== '') {
    throw new SpiffeError('signing-path', "a signing certificate's SPIFFE ID must not have a path");
  }
  if (!keyUsage.critical) {
    throw new SpiffeError(
      'signing-key-usage',
      'the key usage of a signing certificate with a SPIFFE ID must be critical',
    );
  }
}

/** Whether a TLS server and a TLS client may both use a certificate with these extended key usages. */
export function hasTlsUsages(usages: readonly string[]): boolean {
  return usages.includes(extendedKeyUsages.serverAuth) && usages.includes(extendedKeyUsages.clientAuth);
}

function uriNames(certificate: Certificate): readonly GeneralName[] {
  return certificate.extensions.subjectAltName?.names.filter(({ form }) => form === nameForms.uri) ?? [];
}
