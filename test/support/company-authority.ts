import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createIssuingCertificate,
  createRootCertificate,
  generateKeyPair,
  type KeyAlgorithm,
  localSigner,
  toPem,
} from '../../src/pki/index.ts';
import type { TemporaryDirectory } from '../parts/index.ts';

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
