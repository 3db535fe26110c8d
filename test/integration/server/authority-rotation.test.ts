import { X509Certificate } from 'node:crypto';
import { BundleSet, TrustBundle, TrustDomain, verifyX509Svid } from '@citadel/spiffe';
import { credentials, Metadata } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import {
  type IstioCertificateResponse,
  IstioCertificateServiceClient,
} from '../../../src/gen/istio/v1/auth/ca.ts';
import { parsePemCertificates } from '../../../src/pki/index.ts';
import { waitFor } from '../../parts/index.ts';
import { connectTls } from '../../support/observe.ts';
import { newRequest, startTestServer, type TestServer, trustDomain } from '../../support/server.ts';

/** Serial of the certificate that a new connection is shown. */
async function servingSerial(server: TestServer): Promise<string> {
  const socket = await connectTls(server);
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

function issue(client: IstioCertificateServiceClient, csr: string, token: string) {
  const headers = new Metadata();
  headers.set('authorization', `Bearer ${token}`);
  return new Promise<IstioCertificateResponse>((resolve, reject) => {
    client.createCertificate(
      { csr, validityDuration: 0n, metadata: undefined },
      headers,
      { deadline: Date.now() + 10_000 },
      (error, response) => (error ? reject(error) : resolve(response)),
    );
  });
}

it('an issuing authority is followed by the next without a restart, a broken connection or a leaf that stops verifying', async () => {
  await using server = await startTestServer({
    authority: { issuing: { lifetime: '40s', prepareAt: 0.2, activateAt: 0.25 } },
    certificate: { defaultTtl: '25s', maximumTtl: '25s', notBeforeSkew: '1s' },
  });
  const { authority } = server.app;
  const token = (await server.token()).reveal();
  const { csr } = await newRequest();
  const client = new IstioCertificateServiceClient(
    `127.0.0.1:${server.app.csr.port}`,
    credentials.createSsl(Buffer.from(authority.bundle().pem)),
    { 'grpc.ssl_target_name_override': 'localhost' },
  );
  try {
    const before = await issue(client, csr, token);
    const [firstIssuer, firstSerial] = [authority.issuer().record.id, await servingSerial(server)];
    await waitFor(() => authority.issuer().record.id !== firstIssuer, { what: 'the next authority to sign' });
    await waitFor(async () => (await servingSerial(server)) !== firstSerial, {
      what: 'the serving certificate to be of the next authority',
    });
    // The same client, on the connection that it had.
    const after = await issue(client, csr, token);
    expect(after.certChain[1]).not.toBe(before.certChain[1]);
    expect(after.certChain.at(-1)).toBe(before.certChain.at(-1));
    const roots = authority.records().filter(({ kind }) => kind === 'root');
    expect(roots.map(({ keyBackend }) => keyBackend)).toEqual(['memory']);
    const bundles = BundleSet.of(
      TrustBundle.of(TrustDomain.parse(trustDomain), authority.bundle().authorities),
    );
    for (const { certChain } of [before, after]) {
      const chain = certChain.slice(0, -1).flatMap((pem) => parsePemCertificates(pem));
      expect(verifyX509Svid(chain, bundles, { now: new Date() }).id.path).toBe('/ns/shop/sa/web');
      // A leaf never outlives its chain.
      const [leaf, issuing] = chain.map((der) => new X509Certificate(der));
      expect(leaf && issuing && leaf.validToDate <= issuing.validToDate).toBe(true);
    }
  } finally {
    client.close();
  }
});
