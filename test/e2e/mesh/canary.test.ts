import { join } from 'node:path';
import { connect } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { readCertificates } from '../../../src/agent/envoy/certificates-in-use.ts';
import type { DiscoveryResponse } from '../../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { sotwRequest, streamSecrets } from '../../fakes/sds-client.ts';
import { TestAuthority } from '../../fakes/test-authority.ts';
import { exchange, freePort, hasPart, waitFor } from '../../parts/index.ts';
import { runCitadel } from '../../support/citadel.ts';
import { type MeshWorkload, startApplication, startTestMesh, type TestMesh } from '../../support/mesh.ts';
import { ordersAndWeb } from '../../support/registry.ts';

const webId = 'spiffe://example.org/ns/shop/sa/web';

/** Two real Envoys, each beside an agent: orders is called, web calls. */
async function startWorld() {
  await using building = new AsyncDisposableStack();
  const application = building.use(await startApplication('orders'));
  const [port, web] = [await freePort(), await freePort()];
  const mesh = building.use(
    await startTestMesh({
      registry: {
        'a.yaml': ordersAndWeb(application.port, { port, web }),
      },
    }),
  );
  const proxies = {
    orders: await mesh.startWorkload('orders', 'orders'),
    web: await mesh.startWorkload('web', 'web'),
  };
  const call = async () => (await exchange(`http://127.0.0.1:${web}/`)).status;
  await waitFor(async () => (await call()) === 200);
  // What fails from now on is what the canary is told of.
  await waitFor(async () => (await mesh.server.app.store.adoption.list()).every((proxy) => proxy.handshakes));
  const built = building.move();
  return { mesh, port, call, proxies, [Symbol.asyncDispose]: () => built.disposeAsync() };
}

async function citadel({ server: { directory } }: TestMesh, ...args: readonly string[]) {
  const socket = join(directory, 'operator.sock');
  return runCitadel([...args, '--socket', socket], { directory, home: 'nobody' });
}

/** How many roots each TLS context of an Envoy trusts. */
async function trusted(workload: MeshWorkload): Promise<readonly number[]> {
  const contexts = readCertificates((await workload.admin('/certs')).body);
  return [...new Set(contexts.map(({ authoritySerials }) => authoritySerials.length))];
}

const status = ({ server }: TestMesh) => server.app.rotation.status();
const haltedBy = async (mesh: TestMesh) =>
  (await status(mesh)).gate?.canary?.halted.map(({ proxy }) => proxy.spiffeId);

// Each in a mesh of its own, and most of the time they wait for agents to renew and report.
describe.skipIf(!hasPart('envoy'))('a canary under real Envoys', { concurrent: true }, () => {
  test('gives the new root to the chosen alone, and to all after the watch', async () => {
    await using world = await startWorld();
    const { mesh, proxies, call } = world;
    const nobody = await citadel(mesh, 'rotate', 'start', '--yes', '--canary', 'sa=nobody');
    expect(nobody).toMatchObject({ code: 64, stderr: expect.stringContaining('matches no live proxy') });
    const start = (watch: string) =>
      citadel(mesh, 'rotate', 'start', '--yes', '--canary', 'namespace=shop,sa=web', '--watch', watch);
    expect(await start('1h')).toMatchObject({ code: 0 });
    await waitFor(async () => (await trusted(proxies.web)).includes(2));
    await waitFor(async () => (await status(mesh)).gate?.canary?.until !== undefined);
    const early = await citadel(mesh, 'rotate', 'continue', '--yes');
    expect(early.stderr).toContain('phase canary cannot end yet: it is watched until');
    const shown = (await citadel(mesh, 'rotate', 'status')).stdout;
    expect(shown).toContain('It goes first to namespace=shop,sa=web, each watched for 3600 s');
    expect(shown).toContain('the canary is watched until 20');
    // All the while the other one has the old root alone, and they speak with each other.
    expect(await trusted(proxies.orders)).toStrictEqual([1]);
    expect(await call()).toBe(200);
    expect((await citadel(mesh, 'bundle', 'show', '--format', 'pem')).stdout.match(/BEGIN/g)).toHaveLength(1);
    expect(await citadel(mesh, 'rotate', 'abort', '--yes')).toMatchObject({ code: 0 });
    await waitFor(async () => (await trusted(proxies.web)).every((roots) => roots === 1));

    expect(await start('1s')).toMatchObject({ code: 0 });
    await waitFor(async () => (await status(mesh)).gate?.open, { deadline: 60_000 });
    expect(await trusted(proxies.orders)).toStrictEqual([1]);
    expect(await citadel(mesh, 'rotate', 'continue', '--yes')).toMatchObject({ code: 0 });
    await waitFor(async () => (await trusted(proxies.orders)).includes(2));
    await waitFor(async () => (await status(mesh)).gate?.open, { deadline: 60_000 });
    expect((await status(mesh)).rotation?.phase).toBe('distribute');
    expect(await call()).toBe(200);
  }, 180_000);

  test('is halted by a handshake that fails at the chosen one, and can be taken back', async () => {
    await using world = await startWorld();
    const { mesh, port, proxies, call } = world;
    const order = ['--canary', 'sa=orders', '--watch', '1h', '--auto'];
    const failing = await TestAuthority.create('example.org');
    const { chainPem, keyPem } = await failing.issueServing({ uris: [webId] });
    expect(await citadel(mesh, 'rotate', 'start', '--yes', ...order)).toMatchObject({ code: 0 });
    await waitFor(async () => (await trusted(proxies.orders)).includes(2));
    await waitFor(async () => (await status(mesh)).gate?.canary?.until !== undefined);
    expect((await citadel(mesh, 'check', '-o', 'json')).stdout).not.toContain('the canary is stopped');

    await refused(port, { cert: chainPem.join(''), key: keyPem });
    await waitFor(async () => (await haltedBy(mesh))?.length, { deadline: 60_000 });
    expect(await haltedBy(mesh)).toStrictEqual(['spiffe://example.org/ns/shop/sa/orders']);
    const stopped = await citadel(mesh, 'rotate', 'continue', '--yes');
    expect(stopped.code).not.toBe(0);
    expect(stopped.stderr).toMatch(
      /sa\/orders .*halted: 1 failed handshakes more than before.*callee 1 untrusted/,
    );
    expect((await citadel(mesh, 'rotate', 'status')).stdout).toMatch(
      /the canary is HALTED by 1 of its proxies[^]*sa\/orders .*citadel rotate abort/,
    );
    const check = await citadel(mesh, 'check');
    expect(check.stdout).toContain('the canary is stopped by spiffe://example.org/ns/shop/sa/orders');
    expect(check.code).toBe(1);
    await waitFor(async () => {
      const { items } = await mesh.server.app.store.audit.find({ action: 'rotation.halt', limit: 9 });
      return items.length === 1;
    });

    expect(await citadel(mesh, 'rotate', 'abort', '--yes')).toMatchObject({ code: 0 });
    await waitFor(async () => (await trusted(proxies.orders)).every((roots) => roots === 1));
    expect((await status(mesh)).rotation?.phase).toBe('aborted');
    expect(await call()).toBe(200);
  }, 180_000);

  test('is halted by one consumer of the chosen one that refuses the bundle', async () => {
    await using world = await startWorld();
    const { mesh } = world;
    using refusing = streamSecrets(join(mesh.server.directory, 'workload-web', 'agent.sock'));
    refusing.write(sotwRequest(['ROOTCA']));
    refusing.write(sotwRequest(['ROOTCA'], await refusing.next()));
    expect(await citadel(mesh, 'rotate', 'start', '--yes', '--canary', webId)).toMatchObject({ code: 0 });
    refusing.write(sotwRequest(['ROOTCA'], await refusing.next(), 'cannot read the second root'));
    await waitFor(async () => (await haltedBy(mesh))?.length);
    // It has the bundle of all again, and so the CRLs of what is revoked from now on.
    const given = await refusing.next();
    refusing.write(sotwRequest(['ROOTCA'], given));
    expect(textOf(given).match(/BEGIN CERTIFICATE/g)).toHaveLength(1);
    const { app } = mesh.server;
    const stolen = (await app.store.issuance.liveLeaves(new Date())).find(
      ({ spiffeId }) => spiffeId !== webId,
    );
    const target = ['certificate', 'revoke', stolen?.serial ?? ''];
    expect(await citadel(mesh, ...target, '--yes', '--reason', 'stolen')).toMatchObject({ code: 0 });
    expect(textOf(await refusing.next())).toContain('BEGIN X509 CRL');
    const stopped = await citadel(mesh, 'rotate', 'continue', '--yes');
    expect(stopped.stderr).toMatch(/sa\/web .*halted: .*cannot read the second root/);
    expect(mesh.server.app.authority.bundle().authorities).toHaveLength(1);
    // Somebody who answers for it goes on all the same.
    const forced = await citadel(
      mesh,
      'rotate',
      'continue',
      '--force',
      '--yes',
      '--reason',
      'it is a test client',
    );
    expect(forced.stdout).toMatch(/phase +distribute/);
    expect(mesh.server.app.authority.bundle().authorities).toHaveLength(2);
  }, 180_000);
});

/** PEM stands in it as it is. */
const textOf = ({ resources }: DiscoveryResponse) =>
  resources.map(({ value }) => Buffer.from(value).toString('latin1')).join('');

/** Speaks TLS as a proxy of the mesh does, until the other side refuses. */
function refused(port: number, identity: { readonly cert: string; readonly key: string }): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({
      host: '127.0.0.1',
      port,
      ...identity,
      ALPNProtocols: ['istio-http/1.1', 'istio'],
      rejectUnauthorized: false,
    });
    socket.on('error', () => undefined);
    socket.once('close', () => resolve());
  });
}
