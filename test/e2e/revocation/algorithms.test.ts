import { expect, test } from 'vitest';
import { parseCertificate } from '../../../src/pki/index.ts';
import { freePort, hasPart, waitFor } from '../../parts/index.ts';
import { startApplication, startTestMesh } from '../../support/mesh.ts';
import { citadel, ordersRegistry, svidOf, tlsCall } from './fixture.ts';

test.skipIf(!hasPart('envoy')).each(['ed25519', 'ml-dsa-65'] as const)(
  'a real Envoy takes the CRL of an authority with a key of %s',
  async (algorithm) => {
    await using application = await startApplication('orders');
    const port = await freePort();
    await using mesh = await startTestMesh({
      registry: ordersRegistry(port, application.port),
      settings: {
        // Under a root of ML-DSA issuing authorities are of it too.
        authority: { root: { algorithm }, ...(algorithm === 'ed25519' ? { issuing: { algorithm } } : {}) },
        experimental: { mlDsaAuthorities: true },
      },
    });
    const { server } = mesh;
    await mesh.startWorkload('orders', 'orders');
    const [stolen, good] = [await svidOf(server, 'web', 'web-1'), await svidOf(server, 'web', 'web-2')];
    await waitFor(async () => (await tlsCall(port, stolen)).outcome === 'accepted');
    const { publicKey } = parseCertificate(server.app.authority.issuer().record.certificate);
    expect(publicKey.algorithm).toBe(algorithm);
    await citadel(server, 'certificate', 'revoke', stolen.serial, '--yes', '--reason', 'stolen');
    await waitFor(async () => (await tlsCall(port, stolen)).outcome === 'refused');
    expect((await tlsCall(port, good)).outcome).toBe('accepted');
  },
  60_000,
);
