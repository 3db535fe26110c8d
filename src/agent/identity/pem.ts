import { CitadelError } from '../../kernel/index.ts';

const block = /-----BEGIN CERTIFICATE-----\s([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g;
const longest = 1024 * 1024;

/** @returns DER, in the order of the text. @throws CitadelError InvalidArgument */
export function readPemCertificates(text: string): Buffer[] {
  if (text.length > longest) throw new CitadelError('InvalidArgument', 'the PEM text is longer than 1 MiB');
  if (text.includes('PRIVATE KEY-----')) {
    throw new CitadelError('InvalidArgument', 'there is a private key among the certificates; take it out');
  }
  return [...text.matchAll(block)].map(([, body = '']) => Buffer.from(body, 'base64'));
}

/** One certificate, or what else the label says, as PEM, lines of 64 characters. */
export function toPem(der: Uint8Array, label = 'CERTIFICATE'): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .replace(/.{1,64}/g, '$&\n');
  return `-----BEGIN ${label}-----\n${lines}-----END ${label}-----\n`;
}
