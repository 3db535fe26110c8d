import { createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExistingAuthority } from '../../domain/authority/index.ts';
import { CitadelError, Secret } from '../../kernel/index.ts';
import { parsePemCertificates } from '../../pki/index.ts';

export interface ExistingAuthorityFiles {
  readonly certificate: string;
  readonly key?: string | undefined;
  readonly chain?: string | undefined;
  readonly roots: string;
}

const largestFile = 256 * 1024;

/** The files of Istio's `cacerts` secret, mounted as a directory. */
export function istioCacertsFiles(directory: string): ExistingAuthorityFiles {
  return {
    certificate: join(directory, 'ca-cert.pem'),
    key: join(directory, 'ca-key.pem'),
    chain: join(directory, 'cert-chain.pem'),
    roots: join(directory, 'root-cert.pem'),
  };
}

/** @throws CitadelError FailedPrecondition naming the file that is missing or not what it should be */
export async function readExistingAuthority(files: ExistingAuthorityFiles): Promise<ExistingAuthority> {
  const { key } = files;
  const [certificate, ...more] = await readCertificates(files.certificate);
  if (!certificate || more.length > 0) throw unfit(files.certificate, 'must hold exactly one certificate');
  const roots = await readCertificates(files.roots);
  if (roots.length === 0) throw unfit(files.roots, 'holds no certificate');
  const chain = files.chain === undefined ? [] : await readCertificates(files.chain);
  // Istio's cert-chain.pem begins with the authority itself and may end with the root.
  const elsewhere = [certificate, ...roots].map((der) => Buffer.from(der).toString('base64'));
  const intermediates = chain.filter((der) => !elsewhere.includes(Buffer.from(der).toString('base64')));
  return {
    certificate,
    intermediates,
    roots,
    ...(key === undefined ? {} : { privateKey: () => readKey(key) }),
  };
}

async function readCertificates(file: string): Promise<readonly Uint8Array[]> {
  const text = (await readBounded(file)).toString('utf8');
  try {
    return text.trim() === '' ? [] : parsePemCertificates(text);
  } catch (cause) {
    throw unfit(file, 'is not a list of PEM certificates', cause);
  }
}

async function readKey(file: string): Promise<Secret<Uint8Array>> {
  const pem = await readBounded(file);
  try {
    return new Secret(new Uint8Array(createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' })));
  } catch {
    throw unfit(file, 'is not an unencrypted PEM private key');
  } finally {
    pem.fill(0);
  }
}

async function readBounded(file: string): Promise<Buffer> {
  const content = await readFile(file).catch((cause: unknown) => {
    throw unfit(file, 'cannot be read', cause);
  });
  if (content.length > largestFile) throw unfit(file, 'is too large');
  return content;
}

function unfit(file: string, what: string, cause?: unknown): CitadelError {
  return new CitadelError('FailedPrecondition', `${file} ${what}`, cause === undefined ? {} : { cause });
}
