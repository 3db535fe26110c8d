import { describe, expect, test } from 'vitest';
import { exchange, freePort, hasPart, waitFor } from '../../parts/index.ts';
import { startTestMesh } from '../../support/mesh.ts';
import { callersOf, registryText } from '../../support/registry.ts';

describe.skipIf(!hasPart('envoy'))('an endpoint to which nobody connects', () => {
  test('is left out after so many calls as an operator says, be it the only one', async () => {
    const egress = await freePort();
    const orders = await freePort();
    const registry = registryText(
      [
        { name: 'orders', ports: [{ port: orders, application: await freePort() }] },
        ...callersOf('orders', 80, { web: egress }),
      ],
      [{ name: 'orders', ports: [{ port: 80, targetPort: orders }] }],
    );
    await using mesh = await startTestMesh({
      registry: { 'shop.yaml': registry },
      mesh: { outlierDetection: { consecutive5xx: 2 } },
    });
    const web = await mesh.startWorkload('web', 'web');
    const ejections = async () =>
      Object.values(await web.stats('^cluster[.]outbound.*[.]outlier_detection[.]ejections_enforced_total$'));

    expect((await exchange(`http://127.0.0.1:${egress}/`)).status).toBe(503);
    expect(await ejections()).toEqual([0]);
    expect((await exchange(`http://127.0.0.1:${egress}/`)).status).toBe(503);
    await waitFor(async () => (await ejections())[0] === 1, { what: 'the endpoint to be left out' });
  });
});
