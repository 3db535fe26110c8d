import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/kernel/index.ts';
import { exchange, freePort, hasPart, waitFor } from '../../parts/index.ts';
import { startApplication, startTestMesh } from '../../support/mesh.ts';
import { ordersAndWeb } from '../../support/registry.ts';

const minutes = 60_000;

describe.skipIf(!hasPart('envoy'))('workloads whose clocks and the server’s are 15 minutes apart', () => {
  test.each([
    ['behind', 15 * minutes],
    ['ahead', -15 * minutes],
  ])('workloads %s: certificates, mutual TLS and a new root reach them', async (_, offset) => {
    await using application = await startApplication('orders');
    const [port, web] = [await freePort(), await freePort()];
    await using mesh = await startTestMesh({
      registry: {
        'a.yaml': ordersAndWeb(application.port, { port, web }),
      },
      clock: { ...systemClock, now: () => new Date(Date.now() + offset) },
    });
    await mesh.startWorkload('orders', 'orders');
    await mesh.startWorkload('web', 'web');
    const answers = async () => (await exchange(`http://127.0.0.1:${web}/`)).status === 200;
    await waitFor(answers);
    const { rotation } = mesh.server.app;
    const ann = { by: 'operator:ann', proof: 'client-certificate', reason: 'clocks' };
    await rotation.start({ ...ann, oldRoot: (await rotation.status()).activeRoot });
    await waitFor(async () => (await rotation.status()).gate?.open);
    const after = await rotation.continue({ ...ann, phase: 'distribute', force: false });
    expect(after.rotation?.phase).toBe('drain');
    expect(await answers()).toBe(true);
  });
});
