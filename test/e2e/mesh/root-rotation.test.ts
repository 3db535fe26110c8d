import { describe, expect, test } from 'vitest';
import { exchange, freePort, hasPart, waitFor } from '../../parts/index.ts';
import { startApplication, startTestMesh } from '../../support/mesh.ts';
import { ordersAndWeb } from '../../support/registry.ts';
import { rotate, rotationStatus } from '../../support/rotating.ts';
import { newRequest } from '../../support/server.ts';

/** Asks over and over until the signal. @returns what went wrong */
async function load(port: number, stop: AbortSignal): Promise<{ requests: number; failures: string[] }> {
  const failures: string[] = [];
  let requests = 0;
  while (!stop.aborted) {
    requests += 1;
    try {
      const { status, body } = await exchange(`http://127.0.0.1:${port}/x`);
      if (status !== 200) failures.push(`${status} ${body}`);
    } catch (error) {
      failures.push(String(error));
    }
  }
  return { requests, failures };
}

describe.skipIf(!hasPart('envoy'))('the trust root is rotated under real Envoys', () => {
  test('each step waits until it is safe, and no call is lost', async () => {
    await using application = await startApplication('orders');
    const [port, web] = [await freePort(), await freePort()];
    await using mesh = await startTestMesh({
      registry: {
        'a.yaml': ordersAndWeb(application.port, { port, web }),
      },
      settings: { certificate: { defaultTtl: '20s', maximumTtl: '20s', notBeforeSkew: '1s' } },
    });
    const { app } = mesh.server;
    await mesh.startWorkload('orders', 'orders');
    await mesh.startWorkload('web', 'web');
    await waitFor(async () => (await exchange(`http://127.0.0.1:${web}/`)).status === 200);
    // A client that asks for certificates and never reports.
    const silent = await mesh.server.tokens.issue(
      { namespace: 'shop', serviceAccount: 'cron', instance: 'cron-1' },
      'istio-ca',
      600_000,
    );
    const renew = async () =>
      mesh.server.create({ csr: (await newRequest()).csr }, { token: silent.reveal() });
    await renew();

    const stop = new AbortController();
    const loading = load(web, stop.signal);
    const before = app.authority.bundle();
    expect(await rotate(mesh, 'start', '--reason', 'it is old')).toMatchObject({ code: 1 });
    expect(app.authority.bundle()).toStrictEqual(before);
    expect(await rotate(mesh, 'start', '--yes', '--reason', 'it is old')).toMatchObject({ code: 0 });
    const both = app.authority.bundle();
    expect(both.authorities).toHaveLength(2);

    // The Envoys are seen to use the bundle; the silent client has not been handed it.
    await waitFor(async () => {
      const { gate } = await rotationStatus(mesh);
      return gate?.standings.filter(({ standing }) => standing === 'inUse').length === 2;
    });
    const refused = await rotate(mesh, 'continue', '--yes');
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('spiffe://example.org/ns/shop/sa/cron');
    expect(refused.stderr).toContain('is behind');
    expect(app.authority.issuer().bundle).toStrictEqual(both);
    await renew();
    const { gate } = await rotationStatus(mesh);
    expect(gate).toMatchObject({ open: false, stragglers: [], unproven: [{ standing: 'handedOut' }] });
    const cron = gate?.unproven[0]?.proxy.proxyKey ?? '';
    expect((await rotate(mesh, 'status')).stdout).toContain(`${cron}  handedOut`);
    expect(await rotate(mesh, 'excuse', cron, '--yes', '--reason', 'it was handed the bundle')).toMatchObject(
      { code: 0 },
    );

    expect(await rotate(mesh, 'continue', '--yes')).toMatchObject({ code: 0 });
    const newRoot = app.authority.issuer().record.rootFingerprint;
    expect(await rotate(mesh, 'continue', '--yes')).toMatchObject({
      stderr: expect.stringContaining('certificates under the old root are valid'),
    });
    await waitFor(async () => (await rotationStatus(mesh)).gate?.open, { deadline: 60_000 });
    expect(await rotate(mesh, 'continue', '--yes')).toMatchObject({ code: 0 });
    await waitFor(async () => (await rotationStatus(mesh)).rotation?.phase === 'done', { deadline: 30_000 });

    const roots = app.authority.records().filter(({ kind }) => kind === 'root');
    expect(new Map(roots.map(({ state, fingerprint }) => [state, fingerprint === newRoot]))).toStrictEqual(
      new Map([
        ['retired', false],
        ['active', true],
      ]),
    );
    expect(app.authority.bundle().authorities).toHaveLength(1);
    for (const order of ['continue', 'abort'])
      expect(await rotate(mesh, order, '--yes')).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('no rotation is under way'),
      });
    stop.abort();
    const { requests, failures } = await loading;
    expect(failures).toStrictEqual([]);
    expect(requests).toBeGreaterThan(100);
  }, 180_000);
});
