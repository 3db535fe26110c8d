import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { parseCertificate } from '../../../src/pki/index.ts';
import { proxyReport } from '../../contract/store-samples.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../parts/index.ts';
import { diskKeys } from '../../support/disk-keys.ts';
import { newRequest, startTestServer } from '../../support/server.ts';

let temporary: TemporaryDirectory | undefined;
afterEach(async () => {
  await temporary?.[Symbol.asyncDispose]();
  temporary = undefined;
});

async function diskSettings() {
  temporary = await temporaryDirectory();
  const keys = diskKeys(temporary.path);
  return { directory: temporary.path, settings: { keys } };
}

async function issue(server: Awaited<ReturnType<typeof startTestServer>>) {
  const { csr } = await newRequest();
  const { certChain } = await server.create({ csr }, { token: (await server.token()).reveal() });
  return { leaf: parseCertificate(certChain[0] ?? ''), issuing: certChain[1], roots: certChain.at(-1) };
}

describe('a restart', () => {
  it('takes nobody for connected who was so to the process before', async () => {
    const { directory, settings } = await diskSettings();
    const first = await startTestServer(settings, { directory });
    // As a process that is killed leaves it behind.
    await first.app.store.adoption.record(proxyReport({ connected: true }));
    await first.stop();
    await using second = await startTestServer(settings, { directory });
    expect(await second.app.store.adoption.list()).toStrictEqual([proxyReport({ connected: false })]);
  });

  it('keeps root, issuing authority and inventory', async () => {
    const { directory, settings } = await diskSettings();
    const first = await startTestServer(settings, { directory });
    const before = await issue(first);
    const serverId = first.app.serverId;
    await first.stop();
    await using second = await startTestServer(settings, { directory });
    const after = await issue(second);
    expect(second.app.serverId).toBe(serverId);
    expect(after.roots).toBe(before.roots);
    expect(after.issuing).toBe(before.issuing);
    expect(await second.app.store.issuance.get(before.leaf.serialHex)).toMatchObject({ state: 'issued' });
  });

  it('finds the intents of a crash and marks them abandoned', async () => {
    const { directory, settings } = await diskSettings();
    const first = await startTestServer(settings, { directory });
    const { leaf } = await issue(first);
    const record = await first.app.store.issuance.get(leaf.serialHex);
    if (!record) throw new Error('not recorded');
    await first.app.store.issuance.recordIntent({ ...record, serial: 'ab'.repeat(16) });
    await first.stop();
    await using second = await startTestServer(settings, { directory });
    expect(await second.app.store.issuance.get('ab'.repeat(16))).toMatchObject({ state: 'abandoned' });
    const { items } = await second.app.store.audit.find({ action: 'certificate.reconcile', limit: 10 });
    expect(items).toHaveLength(1);
    expect(items[0]?.details['serial']).toBe('ab'.repeat(16));
  });

  it('refuses to make a second root when the store is lost but the key is there', async () => {
    const { directory, settings } = await diskSettings();
    const first = await startTestServer(settings, { directory });
    await first.stop();
    const lost = { ...settings, store: { sqlite: { file: join(directory, 'other.db') } } };
    await expect(startTestServer(lost, { directory })).rejects.toThrow(/restore the store from a backup/);
  });
});
