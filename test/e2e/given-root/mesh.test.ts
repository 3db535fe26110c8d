import { describe, expect, it } from 'vitest';
import { parseCertificate } from '../../../src/pki/index.ts';
import { exchange, freePort, hasPart, startOpenBao, temporaryDirectory, waitFor } from '../../parts/index.ts';
import { runCitadel } from '../../support/citadel.ts';
import { diskKeys } from '../../support/disk-keys.ts';
import { startApplication, startTestMesh } from '../../support/mesh.ts';
import { ordersAndWeb } from '../../support/registry.ts';
import { startTestServer } from '../../support/server.ts';
import { setUpVaultPki } from '../../support/vault-pki.ts';

describe.skipIf(!hasPart('openbao') || !hasPart('envoy'))('real Envoys', () => {
  it('follow to the root of a real PKI and back to one of ours, by commands, and lose no call', async () => {
    await using bao = await startOpenBao();
    await using application = await startApplication('orders');
    await using temporary = await temporaryDirectory();
    const { path: directory } = temporary;
    const { vaultPki, root } = await setUpVaultPki(bao, directory);
    const settings = {
      keys: diskKeys(directory),
      certificate: { defaultTtl: '20s', maximumTtl: '20s', notBeforeSkew: '1s' },
    };
    const before = await startTestServer(settings, { directory });
    const [first] = before.app.authority.bundle().authorities;
    await before.stop();

    const [port, web] = [await freePort(), await freePort()];
    await using mesh = await startTestMesh({
      directory,
      registry: {
        'a.yaml': ordersAndWeb(application.port, { port, web }),
      },
      settings: { ...settings, authority: { upstream: { vaultPki } } },
    });
    const { app } = mesh.server;
    expect(app.authority.bundle().authorities).toEqual([first]);
    await mesh.startWorkload('orders', 'orders');
    await mesh.startWorkload('web', 'web');
    const answers = async () => (await exchange(`http://127.0.0.1:${web}/`)).status === 200;
    await waitFor(answers);

    const socket = temporary.join('operator.sock');
    const rotate = (...args: readonly string[]) =>
      runCitadel(['rotate', ...args, '--socket', socket], { directory, home: 'nobody' });
    const goOn = async () => {
      await waitFor(async () => (await app.rotation.status()).gate?.open, { deadline: 60_000 });
      expect(await rotate('continue', '--yes')).toMatchObject({ code: 0 });
    };

    let calls = 0;
    const failures: unknown[] = [];
    const stop = new AbortController();
    const loading = (async () => {
      while (!stop.signal.aborted) {
        calls += 1;
        const good = await answers().catch((error: unknown) => error);
        if (good !== true) failures.push(good);
      }
    })();
    for (const [from, next] of [
      [['--from', 'upstream'], parseCertificate(root).fingerprint],
      [[], undefined],
    ] as const) {
      const { activeRoot } = await app.rotation.status();
      const plan = await rotate('plan', ...from);
      expect(plan.stdout).toContain(['citadel rotate start', ...from, '--plan'].join(' '));
      if (next) expect(plan.stdout).toContain(`${next.slice(0, 16)}, ecdsa-p256, its key in upstream`);
      expect(await rotate('start', ...from, '--yes', '--reason', 'a drill')).toMatchObject({ code: 0 });
      await goOn();
      await goOn();
      await waitFor(async () => (await app.rotation.status()).rotation?.phase === 'done', {
        deadline: 30_000,
      });
      const status = await app.rotation.status();
      expect(status.activeRoot).toBe(status.rotation?.newRoot);
      expect(status.activeRoot).not.toBe(activeRoot);
      if (next) expect(status.activeRoot).toBe(next);
      expect(app.authority.bundle().authorities).toHaveLength(1);
      await waitFor(answers);
    }
    stop.abort();
    await loading;
    expect(failures).toEqual([]);
    expect(calls).toBeGreaterThan(100);
  }, 240_000);
});
