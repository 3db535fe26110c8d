import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { freePort, hasPart, startOpenBao, temporaryDirectory, waitFor } from '../../parts/index.ts';
import { diskKeys } from '../../support/disk-keys.ts';
import { startApplication, startWorkload } from '../../support/mesh.ts';
import { startTestServer } from '../../support/server.ts';
import { vaultSettings } from '../../support/vault-settings.ts';
import { citadel, ordersRegistry, type Svid, svidOf, tlsCall } from './fixture.ts';

const why = ['--yes', '--reason', 'stolen'];

/** A server that comes back on its port, and the callee of its mesh. */
async function world() {
  await using building = new AsyncDisposableStack();
  const application = building.use(await startApplication('orders'));
  const temporary = building.use(await temporaryDirectory());
  const [csr, port] = [await freePort(), await freePort()];
  const registry = temporary.join('registry');
  mkdirSync(registry);
  for (const [name, text] of Object.entries(ordersRegistry(port, application.port)))
    writeFileSync(temporary.join(`registry/${name}`), text);
  const start = (settings: object) =>
    startTestServer(
      {
        listen: {
          csr: `127.0.0.1:${csr}`,
          metrics: '127.0.0.1:0',
          operator: '127.0.0.1:0',
          webhook: '127.0.0.1:0',
        },
        mesh: { rootNamespace: 'root', sources: { files: { directory: registry } } },
        ...settings,
      },
      { directory: temporary.path },
    );
  const outcomes = async (...svids: readonly Svid[]) => {
    const all: string[] = [];
    for (const svid of svids) all.push((await tlsCall(port, svid)).outcome);
    return all.join();
  };
  const resources = building.move();
  return { temporary, start, outcomes, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

describe.skipIf(!hasPart('envoy'))('a revocation under a real Envoy', () => {
  test('holds while Citadel is away and after it is back, and nobody else is refused', async () => {
    await using here = await world();
    const keys = diskKeys(here.temporary.path);
    const settings = { keys };
    const first = await here.start(settings);
    await using _orders = await startWorkload(first, 'orders', 'orders');
    const [stolen, next, good] = [
      await svidOf(first, 'web', 'web-1'),
      await svidOf(first, 'web', 'web-2'),
      await svidOf(first, 'web', 'web-3'),
    ];
    await waitFor(async () => (await here.outcomes(stolen, good)) === 'accepted,accepted');
    await citadel(first, 'certificate', 'revoke', stolen.serial, ...why);
    await waitFor(async () => (await here.outcomes(stolen)) === 'refused');
    await first.stop();
    expect(await here.outcomes(stolen, next, good)).toBe('refused,accepted,accepted');

    await using second = await here.start(settings);
    await waitFor(async () => (await second.app.store.adoption.list()).some(({ connected }) => connected), {
      deadline: 60_000,
    });
    expect(await here.outcomes(stolen, next, good)).toBe('refused,accepted,accepted');
    await citadel(second, 'certificate', 'revoke', next.serial, ...why);
    await waitFor(async () => (await here.outcomes(next)) === 'refused');
    expect(await here.outcomes(stolen, good)).toBe('refused,accepted');
  }, 180_000);

  test.skipIf(!hasPart('openbao'))(
    'needs no key that is in a sealed OpenBao',
    async () => {
      await using bao = await startOpenBao();
      await using here = await world();
      const { vault, issuingKeys } = await vaultSettings(bao, here.temporary.path);
      await using server = await here.start({ keys: { vault }, issuingKeys });
      await using _orders = await startWorkload(server, 'orders', 'orders');
      const [stolen, good] = [await svidOf(server, 'web', 'web-1'), await svidOf(server, 'web', 'web-2')];
      await waitFor(async () => (await here.outcomes(stolen, good)) === 'accepted,accepted');
      await bao.seal();
      expect(await citadel(server, 'certificate', 'revoke', stolen.serial, ...why)).toMatchObject({
        code: 0,
      });
      await waitFor(async () => (await here.outcomes(stolen)) === 'refused');
      expect(await here.outcomes(good, await svidOf(server, 'web', 'web-3'))).toBe('accepted,accepted');
    },
    120_000,
  );
});
