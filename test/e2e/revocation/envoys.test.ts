import { describe, expect, test } from 'vitest';
import { exchange, freePort, hasPart, waitFor } from '../../parts/index.ts';
import { startApplication, startTestMesh } from '../../support/mesh.ts';
import { ordersAndWeb } from '../../support/registry.ts';
import { citadel, ordersRegistry, svidOf, tlsCall } from './fixture.ts';

const why = ['--yes', '--reason', 'stolen'];

describe.skipIf(!hasPart('envoy'))('a certificate is revoked under real Envoys', () => {
  test('a thief who has it is refused, its owner comes back with another, others go on', async () => {
    await using application = await startApplication('orders');
    const [port, web] = [await freePort(), await freePort()];
    await using mesh = await startTestMesh({
      registry: {
        'a.yaml': ordersAndWeb(application.port, { port, web }),
      },
    });
    const { server } = mesh;
    await mesh.startWorkload('orders', 'orders');
    await mesh.startWorkload('web', 'web');
    const call = async () => (await exchange(`http://127.0.0.1:${web}/`)).status;
    await waitFor(async () => (await call()) === 200);
    const proxyOfWeb = () =>
      server.app.controlPlane?.proxies().find(({ workload }) => workload === 'files/shop/web')?.proxy;
    const before = proxyOfWeb()?.svidSerial;
    const [stolen, good] = [await svidOf(server, 'web', 'web-2'), await svidOf(server, 'cron', 'cron-1')];
    await waitFor(async () => (await tlsCall(port, stolen)).outcome === 'accepted');

    // Nothing is done without a yes.
    const identity = 'spiffe://example.org/ns/shop/sa/web';
    expect(await citadel(server, 'certificate', 'revoke', identity, '--reason', 'stolen')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`${identity}: 2 certificates`),
    });
    const { outcome, session } = await tlsCall(port, stolen);
    expect(outcome).toBe('accepted');
    expect(await citadel(server, 'certificate', 'revoke', identity, ...why)).toMatchObject({
      code: 0,
      stdout: '2 certificates revoked.\n',
    });
    await waitFor(async () => (await tlsCall(port, stolen)).outcome === 'refused');
    // Nothing is resumed: there is no ticket to come back with.
    expect(session).toBeUndefined();
    expect((await tlsCall(port, good)).outcome).toBe('accepted');

    // The Envoy of web lost its streams with its certificate, and has both again.
    await waitFor(() => ![undefined, before].includes(proxyOfWeb()?.svidSerial), { deadline: 30_000 });
    await waitFor(async () => (await call()) === 200);
    const report = await waitFor(async () => {
      const { unenforced } = await server.app.revocationOrders.revocations();
      return unenforced.length === 1 && unenforced;
    });
    expect(report).toMatchObject([{ spiffeId: 'spiffe://example.org/ns/shop/sa/cron' }]);
  }, 120_000);

  test('the issuing authority is replaced meanwhile, and not one certificate of either is refused', async () => {
    await using application = await startApplication('orders');
    const port = await freePort();
    await using mesh = await startTestMesh({ registry: ordersRegistry(port, application.port) });
    const { server } = mesh;
    await mesh.startWorkload('orders', 'orders');
    const [stolen, old] = [await svidOf(server, 'web', 'web-1'), await svidOf(server, 'web', 'web-2')];
    await waitFor(async () => (await tlsCall(port, old)).outcome === 'accepted');
    await citadel(server, 'certificate', 'revoke', stolen.serial, ...why);
    await waitFor(async () => (await tlsCall(port, stolen)).outcome === 'refused');

    const { id } = server.app.authority.issuer().record;
    const refused: string[] = [];
    const issuers = new Set<string>();
    const stop = new AbortController();
    const calling = (async () => {
      for (let count = 0; !stop.signal.aborted; count++) {
        const fresh = await svidOf(server, 'web', `web-${count}`);
        issuers.add(fresh.issuer);
        for (const svid of [fresh, old])
          if ((await tlsCall(port, svid)).outcome !== 'accepted') refused.push(svid.serial);
      }
    })();
    await citadel(server, 'authority', 'taint', id, ...why);
    await waitFor(() => issuers.size === 2, { what: 'certificates of the new authority', deadline: 30_000 });
    // Also with what proxies are given now that the other one signs.
    await server.app.revocations.tick();
    const accepted = async () => (await server.app.store.adoption.list()).map(({ crlVersion }) => crlVersion);
    await waitFor(async () => (await accepted()).includes(server.app.revocations.set()?.version));
    expect((await tlsCall(port, old)).outcome).toBe('accepted');
    expect((await tlsCall(port, stolen)).outcome).toBe('refused');
    stop.abort();
    await calling;
    expect(refused).toStrictEqual([]);

    // Taken out for good, it takes with it whatever it signed, also what nobody has a record of.
    const last = await svidOf(server, 'web', 'web-last');
    expect(await citadel(server, 'authority', 'revoke', id, ...why)).toMatchObject({ code: 0 });
    await waitFor(async () => (await tlsCall(port, old)).outcome === 'refused');
    expect((await tlsCall(port, last)).outcome).toBe('accepted');
  }, 120_000);
});
