import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { hasPart, startOpenBao, temporaryDirectory, waitFor } from '../../parts/index.ts';
import { continueRotation, issueChain, rootsOf } from '../../support/rotating.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { vaultSettings } from '../../support/vault-settings.ts';

const ann = { by: 'operator:ann', proof: 'client-certificate', reason: 'the key goes to Vault' };

const issue = async (server: TestServer) => rootsOf(await issueChain(server));
const continued = (server: TestServer) => continueRotation(server, ann);

describe.skipIf(!hasPart('openbao'))('a rotation from this disk to a real OpenBao', () => {
  it('waits while OpenBao is sealed, also over a restart, and leaves no key on the disk', async () => {
    await using bao = await startOpenBao();
    await using temporary = await temporaryDirectory();
    const directory = temporary.path;
    const { vault, issuingKeys } = await vaultSettings(bao, directory);
    const disk = { encryption: issuingKeys.disk.encryption };
    const settings = {
      issuingKeys,
      certificate: { defaultTtl: '12s', maximumTtl: '12s', notBeforeSkew: '1s' },
    };
    const keysOnDisk = async () =>
      (await readdir(temporary.join('keys'))).filter((name) => name.startsWith('root-'));

    const before = await startTestServer({ ...settings, keys: { disk } }, { directory });
    expect(await issue(before)).toBe(1);
    await before.stop();
    expect(await keysOnDisk()).toHaveLength(1);

    const moving = { ...settings, keys: { vault }, formerKeys: { disk } };
    await using during = await startTestServer(moving, { directory });
    await bao.seal();
    const { activeRoot } = await during.app.rotation.status();
    await expect(during.app.rotation.start({ ...ann, oldRoot: activeRoot })).rejects.toMatchObject({
      code: 'Unavailable',
    });
    expect(await issue(during)).toBe(1);
    await during.stop();

    const again = await startTestServer(moving, { directory });
    const { rotation } = again.app;
    expect((await rotation.status()).rotation?.phase).toBe('prepare');
    expect(await issue(again)).toBe(1);
    await bao.unseal();
    await waitFor(async () => (await rotation.status()).rotation?.phase === 'distribute');

    expect(await issue(again)).toBe(2);
    const { gate } = await rotation.status();
    expect(gate).toMatchObject({ stragglers: [], unproven: [{ standing: 'handedOut' }] });
    await rotation.excuse({ ...ann, proxyKey: gate?.unproven[0]?.proxy.proxyKey ?? '' });
    expect(await continued(again)).toBe('drain');
    await waitFor(async () => (await rotation.status()).gate?.open);
    expect(await keysOnDisk()).toHaveLength(1);
    expect(await continued(again)).toBe('done');
    expect(await keysOnDisk()).toHaveLength(0);
    await again.stop();

    await using after = await startTestServer({ ...settings, keys: { vault } }, { directory });
    expect(await issue(after)).toBe(1);
    expect((await after.app.rotation.status()).activeRoot).not.toBe(activeRoot);
  }, 90_000);
});
