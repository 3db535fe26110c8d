import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exchange, freePort, hasPart, waitFor } from '../../parts/index.ts';
import { runCitadel } from '../../support/citadel.ts';
import { startApplication, startTestMesh } from '../../support/mesh.ts';
import { ordersAndWeb } from '../../support/registry.ts';

describe.skipIf(!hasPart('envoy'))('what is drained after a taint, under load', () => {
  test('is no request', async () => {
    await using application = await startApplication('orders');
    const [port, web] = [await freePort(), await freePort()];
    await using mesh = await startTestMesh({
      registry: {
        'a.yaml': ordersAndWeb(application.port, { port, web }),
      },
    });
    const { app, directory } = mesh.server;
    const args = ['--drain-time-s', '4'];
    const orders = await mesh.startWorkload('orders', 'orders', { args });
    await mesh.startWorkload('web', 'web', { args });
    await waitFor(async () => (await exchange(`http://127.0.0.1:${web}/`)).status === 200);
    const stop = new AbortController();
    const failures: string[] = [];
    let requests = 0;
    const load = async () => {
      while (!stop.signal.aborted) {
        requests += 1;
        const reply = await exchange(`http://127.0.0.1:${web}/`).catch((error: unknown) => ({
          status: 0,
          body: String(error),
        }));
        if (reply.status !== 200) failures.push(`${reply.status} ${reply.body}`);
      }
    };
    const loads = [load(), load(), load()];
    const options = { directory, home: 'nobody' };
    const words = ['--yes', '--reason', 'test', '--socket', join(directory, 'operator.sock')];
    const id = app.authority.issuer().record.id;
    expect(await runCitadel(['authority', 'taint', id, ...words], options)).toMatchObject({ code: 0 });
    const drained = async () =>
      (await app.store.audit.find({ action: 'connections.drain', limit: 1 })).items.length === 1;
    await waitFor(drained);
    const draining = async () =>
      Object.entries(await orders.stats('^listener_manager.total_filter_chains_draining$')).some(
        ([, n]) => n > 0,
      );
    await waitFor(draining);
    await waitFor(async () => !(await draining()), { deadline: 30_000 });
    stop.abort();
    await Promise.all(loads);
    expect(failures).toStrictEqual([]);
    expect(requests).toBeGreaterThan(100);
  }, 120_000);
});
