import { createPublicKey, generateKeyPair, type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';

/** The keys that a workload may have. */
export type RequestKeyAlgorithm =
  | 'ecdsa-p256'
  | 'ecdsa-p384'
  | 'rsa-2048'
  | 'rsa-3072'
  | 'rsa-4096'
  | 'ed25519';

const generate = promisify(generateKeyPair);
const oids = {
  'ecdsa-sha256': '06082a8648ce3d040302',
  'ecdsa-sha384': '06082a8648ce3d040303',
  'rsa-sha256': '06092a864886f70d01010b0500',
  ed25519: '06032b6570',
  extensionRequest: '06092a864886f70d01090e',
  subjectAltName: '0603551d11',
} as const;

/** A new private key, in memory only. */
export async function generateRequestKey(algorithm: RequestKeyAlgorithm): Promise<KeyObject> {
  if (algorithm === 'ed25519') return (await generate('ed25519')).privateKey;
  if (algorithm.startsWith('rsa-')) {
    const modulusLength = Number(algorithm.slice('rsa-'.length));
    return (await generate('rsa', { modulusLength, publicExponent: 0x10001 })).privateKey;
  }
  const namedCurve = algorithm === 'ecdsa-p256' ? 'P-256' : 'P-384';
  return (await generate('ec', { namedCurve })).privateKey;
}

/**
 * A certificate signing request (RFC 2986) with an empty subject, so that a process that makes one request an hour need
 * not hold an X.509 library for it. The issuer takes the public key alone; `uris` are a courtesy to those that ask for it.
 * @returns PEM
 */
export function encodeCertificateRequest(key: KeyObject, uris: readonly string[] = []): string {
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const attributes = uris.length === 0 ? Buffer.alloc(0) : subjectAltNames(uris);
  const info = sequence(hex('020100'), sequence(), spki, tagged(0xa0, attributes));
  const { algorithm, digest } = signatureOf(key);
  const signature = sign(digest, info, { key, dsaEncoding: 'der' });
  const request = sequence(info, sequence(hex(algorithm)), tagged(0x03, Buffer.from([0]), signature));
  const lines = request.toString('base64').replace(/.{1,64}/g, '$&\n');
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines}-----END CERTIFICATE REQUEST-----\n`;
}

function subjectAltNames(uris: readonly string[]): Buffer {
  const names = sequence(...uris.map((uri) => tagged(0x86, Buffer.from(uri, 'ascii'))));
  // Critical, as RFC 5280 4.2.1.6 asks for where the subject is empty.
  const extension = sequence(hex(oids.subjectAltName), hex('0101ff'), tagged(0x04, names));
  return sequence(hex(oids.extensionRequest), tagged(0x31, sequence(extension)));
}

function signatureOf(key: KeyObject): { algorithm: string; digest: string | null } {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ed25519') return { algorithm: oids.ed25519, digest: null };
  if (type === 'rsa') return { algorithm: oids['rsa-sha256'], digest: 'sha256' };
  if (type !== 'ec') throw new TypeError('a certificate request needs an RSA, ECDSA or Ed25519 key');
  return details?.namedCurve === 'secp384r1'
    ? { algorithm: oids['ecdsa-sha384'], digest: 'sha384' }
    : { algorithm: oids['ecdsa-sha256'], digest: 'sha256' };
}

function hex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}

function sequence(...content: readonly Uint8Array[]): Buffer {
  return tagged(0x30, ...content);
}

/** One DER element of `tag` around `content` (X.690 8.1, 10.1). */
function tagged(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  const size = body.length.toString(16);
  const length =
    body.length < 0x80
      ? Buffer.from([body.length])
      : hex(size.padStart(size.length + (size.length % 2), '0'));
  const head = body.length < 0x80 ? [tag] : [tag, 0x80 | length.length];
  return Buffer.concat([Buffer.from(head), length, body]);
}
