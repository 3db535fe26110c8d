import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { freePort, hasPart, waitFor } from '../../parts/index.ts';
import { startApplication, startTestMesh } from '../../support/mesh.ts';
import { citadel, ordersRegistry, svidOf, tlsCall } from './fixture.ts';

const many = 10_000;

test.skipIf(!hasPart('envoy'))(
  'a real Envoy takes ten thousand revoked certificates, and refuses one more',
  async () => {
    await using application = await startApplication('orders');
    const port = await freePort();
    await using mesh = await startTestMesh({ registry: ordersRegistry(port, application.port) });
    const { server } = mesh;
    const { revocations, authority } = server.app;
    await mesh.startWorkload('orders', 'orders');
    const [stolen, good] = [await svidOf(server, 'web', 'web-1'), await svidOf(server, 'web', 'web-2')];
    await waitFor(async () => (await tlsCall(port, good)).outcome === 'accepted');
    const { fingerprint, notAfter } = authority.issuer().record;
    await revocations.revokeCertificates(
      Array.from({ length: many }, () => ({
        serial: `4${randomBytes(16).toString('hex').slice(1)}`,
        spiffeId: 'spiffe://example.org/ns/shop/sa/many',
        issuer: fingerprint,
        notAfter,
        revokedAt: new Date(),
        revokedBy: 'operator:ann',
        code: 'keyCompromise' as const,
        reason: '',
      })),
    );
    expect(revocations.crl(fingerprint)?.der.length).toBeLessThan(520_000);
    const accepted = async () => (await server.app.store.adoption.list()).map(({ crlVersion }) => crlVersion);
    await waitFor(async () => (await accepted()).includes(revocations.set()?.version), {
      what: 'the Envoy to accept them',
    });
    expect((await tlsCall(port, stolen)).outcome).toBe('accepted');
    await citadel(server, 'certificate', 'revoke', stolen.serial, '--yes', '--reason', 'stolen');
    await waitFor(async () => (await tlsCall(port, stolen)).outcome === 'refused');
    expect((await tlsCall(port, good)).outcome).toBe('accepted');
  },
  120_000,
);
