import { readFile, stat } from 'node:fs/promises';
import { CitadelError, describeError, Secret } from '../../kernel/index.ts';

const longest = 64 * 1024;

/** Reads a bearer token; a projected one is replaced in place, so it is read at each use. */
export async function readToken(file: string): Promise<Secret<string>> {
  let text: string;
  try {
    if ((await stat(file)).size > longest) throw new Error('it is larger than 64 KiB');
    text = (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    throw new CitadelError('FailedPrecondition', 'the token file cannot be read', {
      details: `${file}: ${describeError(cause)}`,
      cause,
    });
  }
  // RFC 6750 2.1: what a bearer token is made of. Anything else cannot be sent in a header.
  if (!/^[A-Za-z0-9._~+/-]+=*$/.test(text)) {
    throw new CitadelError('FailedPrecondition', 'the token file does not hold a bearer token', {
      details: file,
    });
  }
  return new Secret(text);
}
