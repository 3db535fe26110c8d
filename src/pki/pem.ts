import { CitadelError } from '../kernel/index.ts';

const lineLength = 64;
const block =
  /-----BEGIN ([A-Z0-9][A-Z0-9 ]{0,62})-----[ \t]*\r?\n((?:[A-Za-z0-9+/]{1,76}={0,2}[ \t]*\r?\n){1,4096})-----END ([A-Z0-9][A-Z0-9 ]{0,62})-----/y;
const space = /\s*/y;

/** The largest PEM text that is read: a bundle of some hundred certificates. */
const largestText = 1024 * 1024;
const mostBlocks = 512;

export interface PemBlock {
  readonly label: string;
  readonly der: Buffer;
}

/**
 * Reads the blocks of a PEM text in the strict form of RFC 7468, section 3: no headers, nothing but white space
 * around the blocks, canonical base64.
 * @throws CitadelError InvalidArgument when it is anything else, ResourceExhausted when it is longer than 1 MiB
 */
function readPem(text: string, subject = 'PEM'): PemBlock[] {
  if (text.length > largestText) throw new CitadelError('ResourceExhausted', `${subject}: longer than 1 MiB`);
  const blocks: PemBlock[] = [];
  let position = skipSpace(text, 0);
  while (position < text.length) {
    block.lastIndex = position;
    const [whole, begin, body = '', end] = block.exec(text) ?? [];
    if (whole === undefined || begin === undefined || begin !== end || blocks.length >= mostBlocks) {
      throw malformed(
        subject,
        'not PEM: one or more blocks of base64 between BEGIN and END lines, and nothing else',
      );
    }
    blocks.push({ label: begin, der: decodeBase64(body, subject) });
    position = skipSpace(text, position + whole.length);
  }
  return blocks;
}

/** The content of the only block, whose label must be one of those given. @throws CitadelError, as readPem does */
export function readSinglePem(text: string, labels: readonly string[], subject: string): Buffer {
  const [only, ...more] = readPem(text, subject);
  if (!only) throw malformed(subject, 'empty');
  if (more.length > 0) throw malformed(subject, 'more than one PEM block');
  if (!labels.includes(only.label)) throw malformed(subject, `the PEM block must be labelled ${labels[0]}`);
  return only.der;
}

/** The certificates of a PEM text, DER, in its order; at least one. @throws CitadelError, as readPem does */
export function parsePemCertificates(text: string): Buffer[] {
  const blocks = readPem(text, 'certificates');
  if (blocks.length === 0) throw malformed('certificates', 'empty');
  return blocks.map(({ label, der }) => {
    if (label !== 'CERTIFICATE')
      throw malformed('certificates', 'a PEM block that is not labelled CERTIFICATE');
    return der;
  });
}

/** One PEM block, ending in a line feed (RFC 7468). */
export function toPem(der: Uint8Array, label = 'CERTIFICATE'): string {
  const base64 = Buffer.from(der.buffer, der.byteOffset, der.length).toString('base64');
  let body = '';
  for (let at = 0; at < base64.length; at += lineLength) body += `${base64.slice(at, at + lineLength)}\n`;
  return `-----BEGIN ${label}-----\n${body}-----END ${label}-----\n`;
}

function skipSpace(text: string, from: number): number {
  space.lastIndex = from;
  space.exec(text);
  return space.lastIndex;
}

function decodeBase64(body: string, subject: string): Buffer {
  const base64 = body.replace(/\s+/g, '');
  const der = Buffer.from(base64, 'base64');
  // Buffer skips what it does not know; what was read must be what was written.
  if (der.toString('base64') !== base64) throw malformed(subject, 'not canonical base64');
  return der;
}

function malformed(subject: string, problem: string): CitadelError {
  return new CitadelError('InvalidArgument', `malformed ${subject}: ${problem}`);
}
