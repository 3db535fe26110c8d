import { systemEntropy } from '../../src/kernel/index.ts';

import {
  checkIssued,
  createLeafIssuer,
  lintLeaf,
  localSigner,
  readCertificateRequest,
  toPem,
} from '../../src/pki/index.ts';
import type { Fixture } from './fixture.ts';
import { type Side, saturate } from './measure.ts';

/** A server's own pace under load: what waits side by side is done step by step, so that a step's code stays in the cache. */
const concurrency = 32;

/** Citadel's own way: request, lint, signature, check of its own output. */
export function citadelSide({
  issuing,
  issuingKey,
  requestPem,
  spiffeId,
}: Fixture): Side & { issue(): Promise<Uint8Array> } {
  const issuer = createLeafIssuer({ issuerCertificate: issuing, signer: localSigner(issuingKey) });
  async function issue(): Promise<Uint8Array> {
    const { publicKey } = await readCertificateRequest(requestPem);
    const now = Date.now();
    const meant = {
      spki: publicKey.spki,
      uri: spiffeId,
      notBefore: new Date(now - 120_000),
      notAfter: new Date(now + 3_600_000),
    };
    const prepared = issuer.prepare({ ...meant, spiffeId, serial: systemEntropy.bytes(16) });
    const certificate = await issuer.sign(prepared);
    const findings = [
      ...lintLeaf(prepared.tbs, meant),
      ...(await checkIssued(certificate, prepared, issuer)),
    ];
    if (findings.length > 0) throw new Error(findings.join('; '));
    toPem(certificate);
    return certificate;
  }
  return {
    name: 'Citadel',
    issue,
    run: (seconds) =>
      saturate(seconds, concurrency, async () => {
        await issue();
      }),
  };
}
