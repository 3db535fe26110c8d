import { SpiffeId } from '@citadel/spiffe';
import { createLeafService } from '../../src/domain/issuance/index.ts';
import { systemClock, systemEntropy } from '../../src/kernel/index.ts';
import { readCertificateRequest } from '../../src/pki/index.ts';
import { newRequest, type TestServer } from './server.ts';

/** A certificate of this server for whoever is named, as if it had been issued by another way in. */
export async function issueTo(server: TestServer, principal: string, path: string) {
  const { csr, privateKeyPem } = await newRequest();
  const leaves = createLeafService({
    validity: { defaultTtl: 600_000, maximumTtl: 600_000, notBeforeSkew: 1000 },
    store: server.app.store.issuance,
    clock: systemClock,
    entropy: systemEntropy,
  });
  const { chainPem } = await leaves.sign(server.app.authority.issuer(), {
    spki: (await readCertificateRequest(csr)).publicKey.spki,
    spiffeId: SpiffeId.parse(`spiffe://example.org${path}`),
    principal,
    proxyKey: (serial) => `serial:${serial}`,
    requestedSeconds: 0n,
  });
  return { chainPem: chainPem.join(''), privateKeyPem };
}
