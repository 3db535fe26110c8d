import { CitadelError } from '../../kernel/index.ts';
import {
  extensionRequestKey,
  oidKey,
  readExtensions,
  readName,
  signatureScheme,
} from '../certificate/index.ts';
import { context, DerReader, oidText, tag, walk } from '../der/index.ts';
import {
  algorithms,
  importPublicKey,
  type KeyAlgorithm,
  readPublicKey,
  verifySignature,
} from '../keys/index.ts';
import { readSinglePem } from '../pem.ts';

/** 16 KiB: a request with an RSA-4096 key has about 1.7 KiB. */
const largestRequest = 16 * 1024;

/** A request whose signature has been verified. Only its public key counts; what it asks for is for the audit record. */
export interface CertificateRequest {
  readonly publicKey: {
    readonly algorithm: KeyAlgorithm;
    /** SubjectPublicKeyInfo, DER. */
    readonly spki: Uint8Array;
  };
  readonly asked: {
    /** RFC 4514. */
    readonly subject: string;
    readonly uris: readonly string[];
    readonly dns: readonly string[];
    /** Dotted OIDs. */
    readonly extensions: readonly string[];
    /** Whether it asks to be an authority. */
    readonly ca: boolean;
  };
}

const subject = 'certificate request';
const attributesTag = context(0, 'constructed');
const labels = ['CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'];

/**
 * Reads a PKCS #10 request (RFC 2986), PEM or DER, and verifies its proof of possession.
 * @throws CitadelError InvalidArgument: malformed, a weak key, an algorithm that is not offered, a wrong signature;
 *   ResourceExhausted: above 16 KiB (PEM: 24 KiB)
 */
export async function readCertificateRequest(request: string | Uint8Array): Promise<CertificateRequest> {
  // Base64 takes a third more, its lines a little.
  const limit = typeof request === 'string' ? largestRequest * 1.5 : largestRequest;
  if (request.length > limit)
    throw new CitadelError('ResourceExhausted', 'the certificate request is above 16 KiB');
  const der = typeof request === 'string' ? readSinglePem(request, labels, subject) : request;
  if (der.length > largestRequest)
    throw new CitadelError('ResourceExhausted', 'the certificate request is above 16 KiB');

  const outer = DerReader.over(der, subject);
  const whole = outer.sequence('the request');
  outer.finish('the request');
  const signed = whole.element(tag.sequence, 'the request');
  const signatureIdentifier = whole.element(tag.sequence, 'the signature algorithm');
  const signature = whole.octetAlignedBits('the signature');
  whole.finish('the request');

  const info = DerReader.over(signed, subject).sequence('the request');
  if (info.smallInteger('the version') !== 0) throw info.malformed('the version is not 1');
  const name = readName(info, 'the subject');
  const publicKey = readPublicKey(info.element(tag.sequence, 'the public key'), subject);
  const attributes = readAttributes(info.enter(attributesTag, 'the attributes'));
  info.finish('the request');
  // Envoy takes no such certificate from a peer by its defaults.
  if (algorithms[publicKey.algorithm].family === 'ml-dsa')
    throw info.malformed('only authorities may have an ML-DSA key; ask with an ECDSA or RSA key');

  const scheme = signatureScheme(signatureIdentifier, algorithms[publicKey.algorithm].family);
  if (!scheme) {
    throw info.malformed(
      'the signature algorithm does not go with the public key; use SHA-256, SHA-384 or SHA-512',
    );
  }
  const key = { algorithm: publicKey.algorithm, object: importPublicKey(publicKey, subject) };
  if (!(await verifySignature(scheme.digest, signed, key, signature))) {
    throw new CitadelError('InvalidArgument', 'the signature of the certificate request is not by its key');
  }
  return {
    publicKey: { algorithm: publicKey.algorithm, spki: publicKey.spki },
    asked: { subject: name, ...attributes },
  };
}

const askedNothing = { uris: [], dns: [], extensions: [], ca: false } as const;

function readAttributes(attributes: DerReader): Omit<CertificateRequest['asked'], 'subject'> {
  let asked: Omit<CertificateRequest['asked'], 'subject'> = askedNothing;
  const seen: string[] = [];
  while (!attributes.atEnd) {
    const attribute = attributes.sequence('an attribute');
    const type = attribute.oid("an attribute's type");
    const values = attribute.enter(tag.set, "an attribute's values");
    attribute.finish('an attribute');
    if (values.atEnd) throw values.malformed('an attribute has no value');
    const key = oidKey(type);
    if (seen.includes(key)) throw values.malformed(`the attribute ${oidText(type)} appears twice`);
    seen.push(key);
    if (key === extensionRequestKey) {
      const extensions = readExtensions(values);
      values.finish('the requested extensions');
      asked = {
        uris: extensions.subjectAltName?.uris ?? [],
        dns: extensions.subjectAltName?.dns ?? [],
        extensions: extensions.present,
        ca: extensions.basicConstraints?.isCa ?? false,
      };
    } else {
      walk(values, 'an attribute');
    }
  }
  return asked;
}
