import { mkdir, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import type { ServerConfig } from '../../../src/app/config/index.ts';
import { exchange, freePort, hasPart, temporaryDirectory, waitFor } from '../../parts/index.ts';
import { runCitadel } from '../../support/citadel.ts';
import { diskKeys } from '../../support/disk-keys.ts';
import { startApplication, startWorkload } from '../../support/mesh.ts';
import { ordersAndWeb } from '../../support/registry.ts';
import { startTestServer, writeServerConfig } from '../../support/server.ts';

const ended = (time: Date | undefined) => time !== undefined && time.getTime() < Date.now();

const withShortRoot = (config: ServerConfig): ServerConfig => ({
  ...config,
  authority: {
    ...config.authority,
    origin: { kind: 'root', value: { algorithm: 'ecdsa-p256', lifetime: 40_000 } },
  },
});

describe.skipIf(!hasPart('envoy'))('everything has expired while the server was away, the root too', () => {
  test('one command, one file to each workload, and calls succeed again', async () => {
    await using application = await startApplication('orders');
    await using temporary = await temporaryDirectory();
    const directory = temporary.path;
    const [port, web, csr] = [await freePort(), await freePort(), await freePort()];
    await mkdir(temporary.join('registry'));
    await writeFile(temporary.join('registry', 'a.yaml'), ordersAndWeb(application.port, { port, web }));
    const settings = {
      listen: {
        csr: `127.0.0.1:${csr}`,
        metrics: '127.0.0.1:0',
        operator: '127.0.0.1:0',
        webhook: '127.0.0.1:0',
      },
      keys: diskKeys(temporary.path),
      certificate: { defaultTtl: '12s', maximumTtl: '12s', notBeforeSkew: '1s' },
      mesh: { rootNamespace: 'root', sources: { files: { directory: temporary.join('registry') } } },
    };
    const config = await writeServerConfig(directory, settings);
    const citadel = (...args: readonly string[]) => runCitadel(args, { directory, home: 'nobody' });
    const recover = (...args: readonly string[]) => citadel('rotate', 'recover', '--config', config, ...args);
    const answers = async () => (await exchange(`http://127.0.0.1:${web}/`)).status;

    const before = await startTestServer(settings, { directory, change: withShortRoot });
    await using _orders = await startWorkload(before, 'orders', 'orders');
    await using _web = await startWorkload(before, 'web', 'web');
    await waitFor(async () => (await answers()) === 200);
    // Nobody takes the state away under a running server.
    expect(await recover('--yes')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('another process uses this store'),
    });
    await before.stop();
    expect(await recover('--yes')).toMatchObject({ code: 2, stderr: expect.stringContaining('rotate it') });

    const root = before.app.authority.records().find(({ kind }) => kind === 'root');
    await waitFor(() => ended(root?.notAfter), { deadline: 60_000 });
    await waitFor(async () => (await answers()) === 503);
    await expect(startTestServer(settings, { directory })).rejects.toThrow(/citadel rotate recover/);

    const asked = await recover();
    expect(asked.code).toBe(1);
    expect(asked.stderr).toContain(`${root?.id ?? ''} has ended at`);
    const done = await recover('--yes', '--reason', 'back after a month');
    expect(done.stderr).toContain('A new root is made');
    expect(done.code).toBe(0);

    await using after = await startTestServer(settings, { directory });
    const socket = temporary.join('operator.sock');
    const { stdout: bundle } = await citadel('bundle', 'show', '--format', 'pem', '--socket', socket);
    expect(bundle.match(/BEGIN/g)).toHaveLength(1);
    for (const name of ['orders', 'web'])
      await writeFile(temporary.join(`workload-${name}`, 'roots.pem'), bundle);
    await waitFor(async () => (await answers()) === 200, { deadline: 60_000 });
    await waitFor(async () => (await after.app.rotation.status()).rotation?.phase === 'done', {
      deadline: 30_000,
    });
    const { items } = await after.app.store.audit.find({ action: 'rotation.retire', limit: 10 });
    expect(items).toMatchObject([{ reason: 'back after a month', subject: `local:${process.getuid?.()}` }]);
  }, 180_000);
});
