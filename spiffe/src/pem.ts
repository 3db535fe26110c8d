import { decodeBase64 } from './base64.ts';
import { Certificate } from './certificate.ts';
import { SpiffeError } from './errors.ts';

/** Largest PEM text taken, in characters. */
const MAX_PEM_LENGTH = 1024 * 1024;

const BEGIN = '-----BEGIN CERTIFICATE-----';
const END = '-----END CERTIFICATE-----';

/**
 * The certificates of a PEM text (RFC 7468 5.1). Text around the blocks is passed over, a block of another label is
 * refused: a private key that strayed in must not go unnoticed.
 */
export function parsePem(text: string, limit: number): Certificate[] {
  if (text.length > MAX_PEM_LENGTH)
    throw new SpiffeError('pem', `the PEM text is longer than ${MAX_PEM_LENGTH} characters`);
  const certificates: Certificate[] = [];
  let body: string[] | undefined;
  for (const raw of text.split('\n')) {
    const line = raw.trimEnd();
    if (body === undefined) {
      if (line === BEGIN) body = [];
      else refuseMarker(line);
    } else if (line === END) {
      if (certificates.length === limit)
        throw new SpiffeError('chain-length', `there are more than ${limit} certificates`);
      certificates.push(parseBlock(body));
      body = undefined;
    } else {
      refuseMarker(line);
      body.push(line);
    }
  }
  if (body !== undefined) throw new SpiffeError('pem', 'a certificate block is not closed');
  return certificates;
}

/** Lines of 64 characters, '\n' after each line. */
export function encodePem(certificates: readonly Certificate[]): string {
  return certificates
    .map(({ der }) => `${BEGIN}\n${der.toString('base64').replace(/.{1,64}/g, '$&\n')}${END}\n`)
    .join('');
}

function parseBlock(lines: readonly string[]): Certificate {
  const der = decodeBase64(lines.join(''));
  if (der === undefined) throw new SpiffeError('pem', 'a certificate block is not valid base64');
  return Certificate.parse(der);
}

function refuseMarker(line: string): void {
  if (!line.includes('-----')) return;
  const other = /-----BEGIN (?!CERTIFICATE-----)/.test(line);
  if (other)
    throw new SpiffeError(
      'pem-label',
      'only certificates are accepted, the text has a block of another kind',
    );
  throw new SpiffeError('pem', 'the begin and end lines of the certificate blocks do not match');
}
