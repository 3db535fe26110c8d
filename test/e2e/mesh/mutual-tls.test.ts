import { describe, expect, test } from 'vitest';
import { exchange, freePort, hasPart, waitFor } from '../../parts/index.ts';
import { startApplication, startTestMesh, type TestMesh } from '../../support/mesh.ts';
import { callersOf, registryText } from '../../support/registry.ts';

interface Ports {
  readonly orders: number;
  readonly application: number;
  readonly egress: number;
}

const registry = ({ orders, application, egress }: Ports) =>
  registryText(
    [{ name: 'orders', ports: [{ port: orders, application }] }, ...callersOf('orders', 80, { web: egress })],
    [{ name: 'orders', ports: [{ port: 80, targetPort: orders }] }],
  );

const peerAuthentication = (mode: string) => `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {namespace: shop, name: default}
spec:
  mtls: {mode: ${mode}}
`;

const allCurrent = (mesh: TestMesh) =>
  waitFor(
    () =>
      mesh.server.app.controlPlane
        ?.proxies()
        .every(({ resources }) => resources.every(({ accepted, wanted }) => accepted === wanted)),
    { what: 'every proxy to have accepted what it should have' },
  );

describe.skipIf(!hasPart('envoy'))('two Envoys that the control plane configures', () => {
  test('speak mutual TLS with each other, and take plaintext while the callee is permissive', async () => {
    await using application = await startApplication('orders');
    const ports = { orders: await freePort(), egress: await freePort(), application: application.port };
    await using mesh = await startTestMesh({ registry: { 'shop.yaml': registry(ports) } });
    await mesh.startWorkload('orders', 'orders');
    const web = await mesh.startWorkload('web', 'web');

    const mutual = await exchange(`http://127.0.0.1:${ports.egress}/42`);
    expect(mutual).toMatchObject({ status: 200, body: 'orders GET /42' });
    expect(mutual.headers['x-caller']).toMatch(/;URI=spiffe:\/\/example\.org\/ns\/shop\/sa\/web$/);
    expect(Object.values(await web.stats('^cluster\\.outbound.*ssl.handshake$'))).toEqual([1]);

    const plain = await exchange(`http://127.0.0.1:${ports.orders}/7`);
    expect(plain).toMatchObject({ status: 200, body: 'orders GET /7' });
    expect(plain.headers['x-caller']).toBe('nobody known');

    await allCurrent(mesh);
    expect(
      mesh.server.app.controlPlane
        ?.proxies()
        .map(({ workload }) => workload)
        .toSorted(),
    ).toEqual(['files/shop/orders', 'files/shop/web']);
  });

  test('a strict callee refuses plaintext and keeps its callers by mutual TLS on their connections', async () => {
    await using application = await startApplication('orders');
    const ports = { orders: await freePort(), egress: await freePort(), application: application.port };
    await using mesh = await startTestMesh({ registry: { 'shop.yaml': registry(ports) } });
    await mesh.startWorkload('orders', 'orders', { args: ['--drain-time-s', '1'] });
    const web = await mesh.startWorkload('web', 'web');
    const mutual = () => exchange(`http://127.0.0.1:${ports.egress}/`);
    const plain = () => exchange(`http://127.0.0.1:${ports.orders}/`);
    const refused = () =>
      plain().then(
        () => false,
        () => true,
      );
    expect((await mutual()).status).toBe(200);
    expect((await plain()).status).toBe(200);

    await mesh.write('peer.yaml', peerAuthentication('STRICT'));
    await waitFor(refused, { what: 'plaintext to be refused' });
    for (let call = 0; call < 5; call++) expect((await mutual()).status).toBe(200);
    // One handshake in all: the chain of mutual TLS is the same, so its connections stayed.
    expect(Object.values(await web.stats('^cluster\\.outbound.*ssl.handshake$'))).toEqual([1]);

    await mesh.write('peer.yaml', peerAuthentication('DISABLE'));
    await waitFor(async () => (await plain()).status === 200, { what: 'plaintext to be taken again' });
    await waitFor(async () => (await mutual()).headers['x-caller'] === 'nobody known', {
      what: 'the caller to call in plaintext as well',
    });
    await mesh.write('peer.yaml', peerAuthentication('PERMISSIVE'));
    await waitFor(async () => (await mutual()).headers['x-caller'] !== 'nobody known', {
      what: 'the caller to call by mutual TLS again',
    });
    await allCurrent(mesh);
  });

  test('each port has its own mode', async () => {
    await using application = await startApplication('orders');
    const [strict, open] = [await freePort(), await freePort()];
    await using mesh = await startTestMesh({
      registry: {
        'shop.yaml': registryText([
          {
            name: 'orders',
            ports: [strict, open].map((port) => ({ port, application: application.port })),
          },
        ]),
        'peer.yaml': `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {namespace: shop, name: orders}
spec:
  selector: {matchLabels: {app: orders}}
  mtls: {mode: STRICT}
  portLevelMtls: {"${open}": {mode: DISABLE}}
`,
      },
    });
    await mesh.startWorkload('orders', 'orders');
    await waitFor(async () => (await exchange(`http://127.0.0.1:${open}/`)).status === 200);
    await expect(exchange(`http://127.0.0.1:${strict}/`)).rejects.toThrow();
  });
});
