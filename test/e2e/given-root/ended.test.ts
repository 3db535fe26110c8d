import { expect, it } from 'vitest';
import { parseCertificate } from '../../../src/pki/index.ts';
import { hasPart, startOpenBao, temporaryDirectory, waitFor } from '../../parts/index.ts';
import { runCitadel } from '../../support/citadel.ts';
import { diskKeys } from '../../support/disk-keys.ts';
import { newRequest, startTestServer, type TestServer, writeServerConfig } from '../../support/server.ts';
import { setUpVaultPki } from '../../support/vault-pki.ts';

const ann = { by: 'operator:ann', proof: 'client-certificate', reason: 'all has ended' };

async function issue(server: TestServer): Promise<string> {
  const token = (await server.token()).reveal();
  const { certChain } = await server.create({ csr: (await newRequest()).csr }, { token });
  return parseCertificate(certChain.at(-1) ?? '').fingerprint;
}

it.skipIf(!hasPart('openbao'))(
  'a root of a real PKI that has ended gives way to one of ours by command, and that to the next one of the PKI',
  async () => {
    await using bao = await startOpenBao();
    await using temporary = await temporaryDirectory();
    const { path: directory } = temporary;
    const shared = {
      keys: diskKeys(directory),
      certificate: { defaultTtl: '11s', maximumTtl: '11s', notBeforeSkew: '1s' },
    };
    const old = await setUpVaultPki(bao, directory, 'old', '25s');
    const settings = { ...shared, authority: { upstream: { vaultPki: old.vaultPki } } };
    const before = await startTestServer(settings, { directory });
    const ended = parseCertificate(old.root);
    expect(await issue(before)).toBe(ended.fingerprint);
    await before.stop();

    const config = await writeServerConfig(directory, settings);
    const recover = () =>
      runCitadel(['rotate', 'recover', '--config', config, '--yes', '--reason', 'it has ended'], {
        directory,
        home: 'nobody',
      });
    expect((await recover()).stderr).toContain('the root is valid until');
    await waitFor(() => ended.notAfter < new Date(), { deadline: 40_000 });
    await expect(startTestServer(settings, { directory })).rejects.toThrow();
    const recovered = await recover();
    expect(recovered.stderr).toContain('A new root is made in the disk key home');
    expect(recovered.code).toBe(0);

    // The PKI has a new root by now, too.
    const next = await setUpVaultPki(bao, directory, 'next');
    const upstream = { vaultPki: next.vaultPki };
    await using server = await startTestServer({ ...shared, authority: { upstream } }, { directory });
    const { rotation } = server.app;
    await waitFor(async () => (await rotation.current()) === undefined, { what: 'the end of the recovery' });
    const { activeRoot } = await rotation.status();
    expect(await issue(server)).toBe(activeRoot);
    await rotation.start({ ...ann, oldRoot: activeRoot, from: 'upstream' });
    await rotation.continue({ ...ann, phase: 'distribute', force: true });
    const { fingerprint } = parseCertificate(next.root);
    await waitFor(() => server.app.authority.issuer().record.rootFingerprint === fingerprint);
  },
  120_000,
);
