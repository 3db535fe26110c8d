import { hash } from 'node:crypto';
import { connect } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { classicAlgorithms, parseCertificate, parsePemCertificates, toPem } from '../../../src/pki/index.ts';
import { exchange, freePort, hasPart, waitFor } from '../../parts/index.ts';
import { loadHttp } from '../../support/load.ts';
import { startApplication, startTestMesh, type TestMesh } from '../../support/mesh.ts';
import { callersOf, registryText } from '../../support/registry.ts';
import { rotate, rotationStatus } from '../../support/rotating.ts';
import { newRequest } from '../../support/server.ts';

/** Ends the phase as soon as evidence permits it. */
async function endPhase(mesh: TestMesh, next: 'drain' | 'done'): Promise<void> {
  await waitFor(async () => (await rotationStatus(mesh)).gate?.open, { deadline: 90_000 });
  expect(await rotate(mesh, 'continue', '--yes')).toMatchObject({ code: 0 });
  await waitFor(async () => (await rotationStatus(mesh)).rotation?.phase === next, { deadline: 30_000 });
}

async function goOn(mesh: TestMesh): Promise<void> {
  await endPhase(mesh, 'drain');
  await endPhase(mesh, 'done');
}

/** Algorithms of the served chain above the leaf, and of the roots. */
function algorithms({ server: { app } }: TestMesh): readonly (readonly string[])[] {
  const of = (der: Uint8Array) => parseCertificate(der).publicKey.algorithm;
  const { chainPem, bundle } = app.authority.issuer();
  return [chainPem.flatMap(parsePemCertificates).map(of), bundle.authorities.map(of)];
}

interface Calls extends AsyncDisposable {
  readonly mesh: TestMesh;
  /** Where a real Envoy takes calls for orders, behind another one. */
  readonly port: number;
}

/** web calls orders by mutual TLS, on connections that last for five seconds: new handshakes in each phase. */
async function startCalls(ttl: string, settings: Readonly<Record<string, unknown>> = {}): Promise<Calls> {
  await using building = new AsyncDisposableStack();
  const application = building.use(await startApplication('orders'));
  const [orders, port] = [await freePort(), await freePort()];
  const mesh = building.use(
    await startTestMesh({
      registry: {
        'a.yaml': registryText(
          [
            { name: 'orders', ports: [{ port: orders, protocol: 'http', application: application.port }] },
            ...callersOf('orders', 80, { web: port }),
          ],
          [{ name: 'orders', ports: [{ port: 80, protocol: 'http', targetPort: orders }] }],
        ),
      },
      mesh: { connectionLifetime: '5s' },
      settings: { certificate: { defaultTtl: ttl, maximumTtl: ttl, notBeforeSkew: '1s' }, ...settings },
    }),
  );
  await mesh.startWorkload('orders', 'orders');
  await mesh.startWorkload('web', 'web');
  await waitFor(async () => (await exchange(`http://127.0.0.1:${port}/`)).status === 200);
  const running = building.move();
  return { mesh, port, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** Whether a client that trusts this root alone takes the server for what it says it is. */
function accepts({ server: { app } }: TestMesh, root: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(
      {
        host: '127.0.0.1',
        port: app.csr.port,
        servername: 'localhost',
        ALPNProtocols: ['h2'],
        ca: [toPem(root)],
      },
      () => {
        socket.destroy();
        resolve(true);
      },
    );
    socket.on('error', () => resolve(false));
  });
}

// Most of the time each waits, for certificates to end.
const concurrent = { concurrent: true };
describe.skipIf(!hasPart('envoy'))('a rotation to another algorithm, under real Envoys', concurrent, () => {
  test('goes to each classic one in turn, and no call is lost', async () => {
    await using calls = await startCalls('12s');
    const { mesh, port } = calls;
    const stop = new AbortController();
    const loading = loadHttp(port, false, stop.signal);
    for (const algorithm of classicAlgorithms.slice(1)) {
      expect(await rotate(mesh, 'start', '--algorithm', algorithm, '--yes')).toMatchObject({ code: 0 });
      await goOn(mesh);
      expect(algorithms(mesh)).toStrictEqual([['ecdsa-p256'], [algorithm]]);
    }
    stop.abort();
    const { requests, failures } = await loading;
    expect(failures).toStrictEqual([]);
    expect(requests).toBeGreaterThan(100);
  }, 300_000);

  test('is cross-signed: who knows the old root alone accepts what is under the new, until that is all there is', async () => {
    await using calls = await startCalls('20s');
    const { mesh, port } = calls;
    const stop = new AbortController();
    const loading = loadHttp(port, false, stop.signal);
    const [oldRoot = Buffer.alloc(0)] = mesh.server.app.authority.bundle().authorities;
    const start = ['start', '--algorithm', 'ecdsa-p384', '--cross-sign', '--yes'];
    expect(await rotate(mesh, ...start)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('ecdsa-p384, cross-signed'),
    });
    await endPhase(mesh, 'drain');
    expect(algorithms(mesh)[0]).toStrictEqual(['ecdsa-p256', 'ecdsa-p384']);
    const { rootFingerprint } = mesh.server.app.authority.issuer().record;
    expect(rootFingerprint).not.toBe(hash('sha256', oldRoot, 'hex'));
    // The server's own certificate follows by itself.
    const [newRoot = Buffer.alloc(0)] = mesh.server.app.authority
      .bundle()
      .authorities.filter((root) => !Buffer.from(root).equals(oldRoot));
    await waitFor(() => accepts(mesh, newRoot), { deadline: 60_000 });
    expect(await accepts(mesh, oldRoot)).toBe(true);
    await endPhase(mesh, 'done');
    expect(algorithms(mesh)).toStrictEqual([['ecdsa-p256'], ['ecdsa-p384']]);
    await waitFor(async () => !(await accepts(mesh, oldRoot)), { deadline: 60_000 });
    expect(await accepts(mesh, newRoot)).toBe(true);
    stop.abort();
    const { failures } = await loading;
    expect(failures).toStrictEqual([]);
  }, 180_000);

  test('comes to ML-DSA-65 when all verify it, and goes back, and no call is lost', async () => {
    await using calls = await startCalls('20s', { experimental: { mlDsaAuthorities: true } });
    const { mesh, port } = calls;
    const cron = await mesh.server.tokens.issue(
      { namespace: 'shop', serviceAccount: 'cron', instance: 'cron-1' },
      'istio-ca',
      600_000,
    );
    await mesh.server.create({ csr: (await newRequest()).csr }, { token: cron.reveal() });

    // One that cannot tell: refused with its name, and nothing is made. It ends with its certificate.
    const toMlDsa = ['start', '--algorithm', 'ml-dsa-65', '--yes', '--reason', 'post-quantum'];
    const refused = await rotate(mesh, ...toMlDsa);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('spiffe://example.org/ns/shop/sa/cron');
    expect(refused.stderr).toContain('it cannot report what it verifies with');
    expect(refused.stderr).not.toContain('sa/web');
    expect((await rotationStatus(mesh)).rotation).toBeUndefined();
    await waitFor(
      async () => (await mesh.server.app.rotation.plan({ algorithm: 'ml-dsa-65' })).unable.length === 0,
      {
        deadline: 60_000,
      },
    );

    const stop = new AbortController();
    const loading = loadHttp(port, false, stop.signal);
    expect(algorithms(mesh)).toStrictEqual([['ecdsa-p256'], ['ecdsa-p256']]);
    expect(await rotate(mesh, ...toMlDsa)).toMatchObject({ code: 0 });
    await goOn(mesh);
    expect(algorithms(mesh)).toStrictEqual([['ml-dsa-65'], ['ml-dsa-65']]);
    const seen = await exchange(`http://127.0.0.1:${port}/`);
    expect(seen).toMatchObject({ status: 200 });
    expect(seen.headers['x-caller']).toContain('URI=spiffe://example.org/ns/shop/sa/web');

    expect(
      await rotate(mesh, 'start', '--algorithm', 'ecdsa-p256', '--yes', '--reason', 'back'),
    ).toMatchObject({ code: 0 });
    await goOn(mesh);
    expect(algorithms(mesh)).toStrictEqual([['ecdsa-p256'], ['ecdsa-p256']]);
    expect((await exchange(`http://127.0.0.1:${port}/`)).status).toBe(200);
    stop.abort();
    const { requests, failures } = await loading;
    expect(failures).toStrictEqual([]);
    expect(requests).toBeGreaterThan(100);
  }, 300_000);
});
