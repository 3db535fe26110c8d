import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createIssuingCertificate,
  createRootCertificate,
  generateKeyPair,
  type KeyAlgorithm,
  localSigner,
  parseCertificate,
  toPem,
} from '../../src/pki/index.ts';
import type { TemporaryDirectory } from '../parts/index.ts';
import { openssl } from '../unit/pki/openssl.ts';

const day = 86_400_000;
const thisSecond = Math.floor(Date.now() / 1000) * 1000;
const validity = { notBefore: new Date(thisSecond - day), notAfter: new Date(thisSecond + 300 * day) };

export async function newAuthority(algorithm: KeyAlgorithm = 'ecdsa-p256') {
  const pair = await generateKeyPair(algorithm);
  const signer = localSigner(pair.privateKey);
  return { signer, key: pair };
}

export async function newRoot() {
  const { signer, key } = await newAuthority();
  const certificate = await createRootCertificate({
    signer,
    subject: 'Root of the company',
    ...validity,
    trustDomain: 'example.org',
  });
  return { signer, key, certificate };
}

export async function below(
  root: Awaited<ReturnType<typeof newRoot>>,
  pathLength: number,
  algorithm: KeyAlgorithm = 'rsa-2048',
) {
  const { signer, key } = await newAuthority(algorithm);
  const certificate = await createIssuingCertificate({
    issuerCertificate: root.certificate,
    issuerSigner: root.signer,
    publicKey: signer.publicKey,
    subject: 'Istio intermediate',
    ...validity,
    pathLen: pathLength,
    trustDomain: 'example.org',
  });
  return { signer, key, certificate };
}

/** As `below` makes it for leaves alone, and without the right to sign CRLs, which OpenSSL can leave out. */
export async function withoutCrlSign(root: Awaited<ReturnType<typeof newRoot>>) {
  const { signer, key } = await newAuthority();
  const files = {
    root: toPem(root.certificate),
    'root-key': root.key.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    'public-key': toPem(signer.publicKey, 'PUBLIC KEY'),
    extensions: [
      'basicConstraints = critical, CA:TRUE, pathlen:0',
      'keyUsage = critical, keyCertSign',
      'subjectKeyIdentifier = hash',
      'authorityKeyIdentifier = keyid',
      'subjectAltName = URI:spiffe://example.org',
    ].join('\n'),
  };
  const ca = ['-CA', '@root', '-CAkey', '@root-key', '-set_serial', '7', '-days', '200'];
  const subject = ['-force_pubkey', '@public-key', '-subj', '/CN=No CRLs', '-extfile', '@extensions'];
  const pem = openssl(files, 'x509', '-new', ...ca, ...subject);
  return { signer, key, certificate: parseCertificate(pem).der };
}

export interface AuthorityFiles {
  readonly certificate: Uint8Array;
  readonly key: Awaited<ReturnType<typeof generateKeyPair>>;
  readonly chain: readonly Uint8Array[];
  readonly roots: readonly Uint8Array[];
}

/** As Istio's scripts lay them out, the key in the form that OpenSSL gives RSA keys. */
export async function cacertsSettings(
  temporary: TemporaryDirectory,
  { certificate, key, chain, roots }: AuthorityFiles,
) {
  const cacerts = temporary.join('cacerts');
  await mkdir(cacerts, { recursive: true });
  const pem = (list: readonly Uint8Array[]) => list.map((der) => toPem(der)).join('');
  const type = key.privateKey.asymmetricKeyType === 'rsa' ? 'pkcs1' : 'pkcs8';
  await writeFile(join(cacerts, 'ca-cert.pem'), pem([certificate]));
  await writeFile(join(cacerts, 'ca-key.pem'), key.privateKey.export({ type, format: 'pem' }), {
    mode: 0o600,
  });
  await writeFile(join(cacerts, 'cert-chain.pem'), pem(chain));
  await writeFile(join(cacerts, 'root-cert.pem'), pem(roots));
  const keyFile = temporary.join('key-file');
  await writeFile(keyFile, randomBytes(32), { mode: 0o600, flag: 'wx' }).catch(() => undefined);
  return { keys: { disk: { encryption: { keyFile } } }, authority: { existing: { istioCacerts: cacerts } } };
}
