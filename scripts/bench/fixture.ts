import type { KeyObject } from 'node:crypto';
import { type ActiveIssuer, authorityRecord } from '../../src/domain/authority/index.ts';
import {
  createCertificateRequest,
  createIssuingCertificate,
  createLeafIssuer,
  createRootCertificate,
  generateKeyPair,
  localSigner,
  parseCertificate,
  toPem,
} from '../../src/pki/index.ts';

/** A root, an issuing authority below it, and a request: ECDSA P-256 throughout. */
export interface Fixture {
  readonly root: Uint8Array;
  readonly issuing: Uint8Array;
  readonly issuingKey: KeyObject;
  readonly requestPem: string;
  readonly spiffeId: string;
}

const day = 86_400_000;

export async function createFixture(): Promise<Fixture> {
  const rootSigner = localSigner((await generateKeyPair('ecdsa-p256')).privateKey);
  const { privateKey: issuingKey, spki } = await generateKeyPair('ecdsa-p256');
  const workload = localSigner((await generateKeyPair('ecdsa-p256')).privateKey);
  const times = (days: number) => ({
    notBefore: new Date(Date.now() - day),
    notAfter: new Date(Date.now() + days * day),
    trustDomain: 'example.org',
  });
  const root = await createRootCertificate({ signer: rootSigner, subject: 'Bench root', ...times(10) });
  const issuing = await createIssuingCertificate({
    issuerCertificate: root,
    issuerSigner: rootSigner,
    publicKey: spki,
    subject: 'Bench issuing authority',
    ...times(5),
  });
  const spiffeId = 'spiffe://example.org/ns/bench/sa/workload';
  const request = await createCertificateRequest({ signer: workload, uris: [spiffeId] });
  return { root, issuing, issuingKey, requestPem: toPem(request, 'CERTIFICATE REQUEST'), spiffeId };
}

/** The issuing authority as the server has it while it signs. */
export function activeIssuer({ root, issuing, issuingKey }: Fixture): ActiveIssuer {
  return {
    record: authorityRecord({
      kind: 'issuing',
      state: 'active',
      keyBackend: 'memory',
      keyId: 'bench',
      certificate: issuing,
      createdAt: new Date(),
    }),
    leafIssuer: createLeafIssuer({ issuerCertificate: issuing, signer: localSigner(issuingKey) }),
    chainNotAfter: parseCertificate(issuing).notAfter,
    chainPem: [toPem(issuing)],
    bundle: {
      trustDomain: 'example.org',
      authorities: [root],
      version: 'bench',
      sequenceNumber: 1n,
      pem: toPem(root),
    },
  };
}
