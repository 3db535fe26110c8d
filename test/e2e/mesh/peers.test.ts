import { connect, type TLSSocket } from 'node:tls';
import { SpiffeId } from '@citadel/spiffe';
import { describe, expect, test } from 'vitest';
import { createLeafService } from '../../../src/domain/issuance/index.ts';
import { systemClock, systemEntropy } from '../../../src/kernel/index.ts';
import { readCertificateRequest } from '../../../src/pki/index.ts';
import { TestAuthority } from '../../fakes/test-authority.ts';
import { exchange, freePort, hasPart } from '../../parts/index.ts';
import { startApplication, startTestMesh, type TestMesh } from '../../support/mesh.ts';
import { callersOf, registryText } from '../../support/registry.ts';
import { newRequest, type TestServer } from '../../support/server.ts';

const strict = `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {namespace: shop, name: default}
spec: {mtls: {mode: STRICT}}
`;

interface Identity {
  readonly cert: string;
  readonly key: string;
}

/** Under the server's own authority, whatever the name. */
async function issued({ app }: TestServer, id: string): Promise<Identity> {
  const { csr, privateKeyPem } = await newRequest();
  const leaves = createLeafService({
    validity: { defaultTtl: 600_000, maximumTtl: 600_000, notBeforeSkew: 1000 },
    store: app.store.issuance,
    clock: systemClock,
    entropy: systemEntropy,
  });
  const { chainPem } = await leaves.sign(app.authority.issuer(), {
    spki: (await readCertificateRequest(csr)).publicKey.spki,
    spiffeId: SpiffeId.parse(id),
    principal: 'test:web',
    proxyKey: (serial) => `serial:${serial}`,
    requestedSeconds: 0n,
  });
  return { cert: chainPem.join(''), key: privateKeyPem };
}

/** Under a root that nobody here trusts. */
async function foreign(id: string): Promise<Identity> {
  const authority = await TestAuthority.create('example.org');
  const { chainPem, keyPem } = await authority.issueServing({ uris: [id] });
  return { cert: chainPem.join(''), key: keyPem };
}

interface Answered {
  readonly status: string;
  readonly socket: TLSSocket;
}

/** Asks by mutual TLS as a proxy does. @returns undefined where the connection is refused */
function ask(port: number, identity: Identity, session?: Buffer): Promise<Answered | undefined> {
  return new Promise((resolve) => {
    const socket = connect({
      host: '127.0.0.1',
      port,
      ...identity,
      ...(session ? { session } : {}),
      ALPNProtocols: ['istio-http/1.1', 'istio', 'http/1.1'],
      // Who the callee is does not matter here.
      rejectUnauthorized: false,
    });
    socket.once('error', () => resolve(undefined));
    socket.once('close', () => resolve(undefined));
    socket.once('data', (data: Buffer) => resolve({ status: data.toString().split(' ')[1] ?? '', socket }));
    socket.once('secureConnect', () => socket.write('GET / HTTP/1.1\r\nhost: orders\r\n\r\n'));
  });
}

async function strictMesh(settings: Readonly<Record<string, unknown>> = {}) {
  const application = await startApplication('orders');
  const port = await freePort();
  const mesh = await startTestMesh({
    registry: {
      'a.yaml': registryText([{ name: 'orders', ports: [{ port, application: application.port }] }]),
      'b.yaml': strict,
    },
    mesh: settings,
  });
  await mesh.startWorkload('orders', 'orders');
  const dispose = async (one: TestMesh) => {
    await one[Symbol.asyncDispose]();
    await application[Symbol.asyncDispose]();
  };
  return { mesh, port, [Symbol.asyncDispose]: () => dispose(mesh) };
}

describe.skipIf(!hasPart('envoy'))('a strict port of a real Envoy', () => {
  test('takes callers of its trust domain under its roots alone, and resumes nothing', async () => {
    await using world = await strictMesh();
    const { port } = world;
    const { server } = world.mesh;
    const web = await issued(server, 'spiffe://example.org/ns/shop/sa/web');
    const taken = await ask(port, web);
    expect(taken?.status).toBe('200');
    const session = taken?.socket.getSession();
    const again = await ask(port, web, session);
    expect(again?.status).toBe('200');
    expect(again?.socket.isSessionReused()).toBe(false);
    expect(await ask(port, await issued(server, 'spiffe://other.example/ns/shop/sa/web'))).toBeUndefined();
    expect(await ask(port, await issued(server, 'spiffe://example.org.evil/ns/shop/sa/web'))).toBeUndefined();
    expect(await ask(port, await foreign('spiffe://example.org/ns/shop/sa/web'))).toBeUndefined();
    for (const each of [taken, again]) each?.socket.destroy();
  });

  test('takes callers of an alias of its trust domain', async () => {
    await using world = await strictMesh({ trustDomainAliases: ['other.example'] });
    const { server } = world.mesh;
    const moved = await ask(world.port, await issued(server, 'spiffe://other.example/ns/shop/sa/web'));
    expect(moved?.status).toBe('200');
    expect(await ask(world.port, await issued(server, 'spiffe://third.example/x'))).toBeUndefined();
    moved?.socket.destroy();
  });
});

test.skipIf(!hasPart('envoy'))(
  'a real Envoy calls nobody who has another SPIFFE ID than the service',
  async () => {
    await using application = await startApplication('impostor');
    const [port, web, cron] = [await freePort(), await freePort(), await freePort()];
    await using mesh = await startTestMesh({
      registry: {
        'a.yaml': registryText(
          [
            // Both claim the address; the one who listens there is not who the service is.
            { name: 'orders', ports: [{ port, application: application.port }] },
            { name: 'impostor', ports: [{ port, application: application.port }] },
            ...callersOf('orders', 80, { web }),
            ...callersOf('impostor', 80, { cron }),
          ],
          ['orders', 'impostor'].map((name) => ({ name, ports: [{ port: 80, targetPort: port }] })),
        ),
      },
    });
    await mesh.startWorkload('impostor', 'impostor');
    await mesh.startWorkload('web', 'web');
    await mesh.startWorkload('cron', 'cron');
    expect((await exchange(`http://127.0.0.1:${cron}/`)).status).toBe(200);
    expect((await exchange(`http://127.0.0.1:${web}/`)).status).toBe(503);
  },
);
