import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { describe, expect, test } from 'vitest';
import { exchange, freePort, hasPart } from '../../parts/index.ts';
import { issueTo } from '../../support/issue-to.ts';
import { startApplication, startTestMesh, type TestMesh } from '../../support/mesh.ts';
import { callersOf, registryText } from '../../support/registry.ts';

/** Two proxies under these settings, one call between them, and the groups by which they agreed on keys. */
async function startPair(stack: AsyncDisposableStack, tls: Readonly<Record<string, unknown>> | undefined) {
  const { port: application } = stack.use(await startApplication('orders'));
  const ports = { orders: await freePort(), egress: await freePort() };
  const mesh = stack.use(
    await startTestMesh({
      registry: {
        'shop.yaml': registryText(
          [
            { name: 'orders', ports: [{ port: ports.orders, application }] },
            ...callersOf('orders', 80, { web: ports.egress }),
          ],
          [{ name: 'orders', ports: [{ port: 80, targetPort: ports.orders }] }],
        ),
      },
      ...(tls ? { mesh: { tls } } : {}),
    }),
  );
  const orders = await mesh.startWorkload('orders', 'orders');
  const web = await mesh.startWorkload('web', 'web');
  const reply = await exchange(`http://127.0.0.1:${ports.egress}/`);
  expect(reply.headers['x-caller']).toMatch(/;URI=spiffe:\/\/example\.org\/ns\/shop\/sa\/web$/);
  const seen = async (workload: typeof web, of: string) =>
    Object.entries(await workload.stats(`^${of}.*[.]ssl[.](curves|versions)[.]`))
      .filter(([, count]) => count > 0)
      .map(([key]) => key.replace(/^.*[.]ssl[.]/, ''))
      .toSorted();
  return {
    mesh,
    port: ports.orders,
    negotiated: { inbound: await seen(orders, 'listener'), outbound: await seen(web, 'cluster[.]outbound') },
  };
}

/** As a member of the mesh that knows nothing newer than TLS 1.2: what the application was told of it. */
async function callByTls12({ server }: TestMesh, port: number): Promise<unknown> {
  const { chainPem, privateKeyPem } = await issueTo(server, 'old', '/ns/shop/sa/old');
  const agent = new Agent({
    cert: chainPem,
    key: privateKeyPem,
    ca: server.app.authority.bundle().pem,
    // A SPIFFE ID is no name of a host.
    checkServerIdentity: () => undefined,
    maxVersion: 'TLSv1.2',
    ALPNProtocols: ['istio', 'http/1.1'],
  });
  const sent = request({ agent, host: '127.0.0.1', port, signal: AbortSignal.timeout(10_000) });
  try {
    sent.end();
    const [response] = await once(sent, 'response');
    response.resume();
    return response.headers['x-caller'];
  } finally {
    agent.destroy();
  }
}

describe.skipIf(!hasPart('envoy'))('TLS between two Envoys', () => {
  test('agrees on keys that no quantum computer finds out later, and refuses TLS 1.2', async () => {
    await using stack = new AsyncDisposableStack();
    const { mesh, port, negotiated } = await startPair(stack, undefined);
    const best = ['curves.X25519MLKEM768', 'versions.TLSv1.3'];
    expect(negotiated).toEqual({ inbound: best, outbound: best });
    await expect(callByTls12(mesh, port)).rejects.toThrow(/alert protocol version/);
  });

  test('is as an operator wants it: classical, and with TLS 1.2 for who knows no better', async () => {
    await using stack = new AsyncDisposableStack();
    const { mesh, port, negotiated } = await startPair(stack, { postQuantum: false, minimumVersion: '1.2' });
    const classical = ['curves.X25519', 'versions.TLSv1.3'];
    expect(negotiated).toEqual({ inbound: classical, outbound: classical });
    expect(await callByTls12(mesh, port)).toMatch(/;URI=spiffe:\/\/example\.org\/ns\/shop\/sa\/old$/);
  });
});
