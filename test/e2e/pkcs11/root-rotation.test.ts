import { describe, expect, it } from 'vitest';
import { hasPart, startOpenBao, startSoftHsm, temporaryDirectory, waitFor } from '../../parts/index.ts';
import { member } from '../../parts/vault-home.ts';
import { pkcs11Settings } from '../../support/pkcs11-settings.ts';
import { continueRotation, issueChain, rootsOf } from '../../support/rotating.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { vaultSettings } from '../../support/vault-settings.ts';

const ann = { by: 'operator:ann', proof: 'client-certificate', reason: 'the key goes to the HSM' };

const issue = async (server: TestServer) => rootsOf(await issueChain(server));
const continued = (server: TestServer) => continueRotation(server, ann);

describe.skipIf(!hasPart('softhsm') || !hasPart('openbao'))(
  'a rotation from a real OpenBao to a real SoftHSM',
  () => {
    it('waits while the token is out, also over a restart, issues all the while, and leaves one key', async () => {
      await using bao = await startOpenBao();
      await using hsm = await startSoftHsm();
      await using temporary = await temporaryDirectory();
      process.env['SOFTHSM2_CONF'] = hsm.configuration;
      const directory = temporary.path;
      const { vault, issuingKeys } = await vaultSettings(bao, directory);
      const pkcs11 = { ...pkcs11Settings(hsm, directory), timeout: '5s' };
      const settings = {
        issuingKeys,
        certificate: { defaultTtl: '12s', maximumTtl: '12s', notBeforeSkew: '1s' },
      };
      const keysInVault = async () => {
        const reply = await bao.request('LIST', 'transit/keys').catch(() => undefined);
        const names = member(reply, 'data', 'keys');
        return Array.isArray(names) ? names : [];
      };

      const before = await startTestServer({ ...settings, keys: { vault } }, { directory });
      expect(await issue(before)).toBe(1);
      await before.stop();
      expect(await keysInVault()).toHaveLength(1);

      const moving = { ...settings, keys: { pkcs11 }, formerKeys: { vault } };
      await hsm.remove();
      const during = await startTestServer(moving, { directory });
      const { activeRoot } = await during.app.rotation.status();
      await expect(during.app.rotation.start({ ...ann, oldRoot: activeRoot })).rejects.toMatchObject({
        code: 'Unavailable',
      });
      expect(await issue(during)).toBe(1);
      await during.stop();

      const again = await startTestServer(moving, { directory });
      const { rotation } = again.app;
      expect((await rotation.status()).rotation?.phase).toBe('prepare');
      await hsm.insert();
      await waitFor(async () => (await rotation.status()).rotation?.phase === 'distribute');
      expect(await hsm.objects()).toHaveLength(2);
      expect(await issue(again)).toBe(2);
      const { gate } = await rotation.status();
      await rotation.excuse({ ...ann, proxyKey: gate?.unproven[0]?.proxy.proxyKey ?? '' });

      // Out again as the new root is to sign its first issuing authority: the old one goes on.
      await hsm.remove();
      expect(await continued(again)).toBe('drain');
      expect(await issue(again)).toBe(2);
      expect((await rotation.status()).gate?.signing).toHaveLength(1);
      await hsm.insert();
      await waitFor(async () => (await rotation.status()).gate?.signing.length === 0, { deadline: 60_000 });
      await waitFor(async () => (await rotation.status()).gate?.open, { deadline: 60_000 });
      expect(await keysInVault()).toHaveLength(1);
      expect(await continued(again)).toBe('done');
      expect(await keysInVault()).toHaveLength(0);
      await again.stop();

      await using after = await startTestServer({ ...settings, keys: { pkcs11 } }, { directory });
      expect(await issue(after)).toBe(1);
      expect((await after.app.rotation.status()).activeRoot).not.toBe(activeRoot);
      expect(await hsm.objects()).toHaveLength(2);
    }, 180_000);
  },
);
