import { randomBytes } from 'node:crypto';
import {
  createIssuingCertificate,
  createLeafIssuer,
  createRootCertificate,
  generateKeyPair,
  type KeyAlgorithm,
  type LeafIssuer,
  localSigner,
} from '../../../src/pki/index.ts';

export const seconds = (offset: number): Date =>
  new Date(Math.floor(Date.now() / 1000) * 1000 + offset * 1000);

export async function signerOf(algorithm: KeyAlgorithm) {
  return localSigner((await generateKeyPair(algorithm)).privateKey);
}

export interface Authorities {
  readonly root: Uint8Array;
  readonly issuing: Uint8Array;
  readonly issuer: LeafIssuer;
}

export async function createAuthorities(algorithm: KeyAlgorithm, days = 10): Promise<Authorities> {
  const rootSigner = await signerOf(algorithm);
  const signer = await signerOf(algorithm);
  const times = { notBefore: seconds(-3600), notAfter: seconds(days * 86_400), trustDomain: 'example.org' };
  const root = await createRootCertificate({ signer: rootSigner, subject: 'Test root', ...times });
  const issuing = await createIssuingCertificate({
    issuerCertificate: root,
    issuerSigner: rootSigner,
    publicKey: signer.publicKey,
    subject: 'Test issuing, "authority" + ö',
    ...times,
  });
  return { root, issuing, issuer: createLeafIssuer({ issuerCertificate: issuing, signer }) };
}

export const spiffeId = 'spiffe://example.org/ns/default/sa/web';

export function leafRequest(spki: Uint8Array) {
  return { spki, spiffeId, serial: randomBytes(16), notBefore: seconds(-120), notAfter: seconds(3600) };
}
