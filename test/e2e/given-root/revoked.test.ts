import { expect, it } from 'vitest';
import { parseCertificate } from '../../../src/pki/index.ts';
import { freePort, hasPart, startOpenBao, temporaryDirectory, waitFor } from '../../parts/index.ts';
import { diskKeys } from '../../support/disk-keys.ts';
import { startApplication, startTestMesh } from '../../support/mesh.ts';
import { setUpVaultPki } from '../../support/vault-pki.ts';
import { citadel, ordersRegistry, svidOf, tlsCall } from '../revocation/fixture.ts';

const why = ['--yes', '--reason', 'stolen'];

it.skipIf(!hasPart('openbao') || !hasPart('envoy'))(
  'under a root of a real PKI, whose CRL nobody here signs, a real Envoy refuses what is revoked alone, also while that PKI is away',
  async () => {
    await using bao = await startOpenBao();
    await using application = await startApplication('orders');
    await using temporary = await temporaryDirectory();
    const { path: directory } = temporary;
    const { vaultPki, root } = await setUpVaultPki(bao, directory);
    const port = await freePort();
    await using mesh = await startTestMesh({
      directory,
      registry: ordersRegistry(port, application.port),
      settings: {
        keys: diskKeys(directory),
        authority: { upstream: { vaultPki } },
      },
    });
    const { server } = mesh;
    const { record } = server.app.authority.issuer();
    const { fingerprint } = parseCertificate(root);
    expect(record.rootFingerprint).toBe(fingerprint);
    await mesh.startWorkload('orders', 'orders');
    const [stolen, later] = [await svidOf(server, 'web', 'web-1'), await svidOf(server, 'web', 'web-2')];
    const good = await svidOf(server, 'web', 'web-3');
    await waitFor(async () => (await tlsCall(port, stolen)).outcome === 'accepted');
    await citadel(server, 'certificate', 'revoke', stolen.serial, ...why);
    await waitFor(async () => (await tlsCall(port, stolen)).outcome === 'refused');
    expect((await tlsCall(port, good)).outcome).toBe('accepted');
    expect(server.app.revocations.crl(record.fingerprint)?.serials).toStrictEqual(new Set([stolen.serial]));
    expect(server.app.revocations.crl(fingerprint)).toBeUndefined();

    await bao.seal();
    await citadel(server, 'certificate', 'revoke', later.serial, ...why);
    await waitFor(async () => (await tlsCall(port, later)).outcome === 'refused');
    expect((await tlsCall(port, good)).outcome).toBe('accepted');
    expect((await tlsCall(port, await svidOf(server, 'web', 'web-4'))).outcome).toBe('accepted');
  },
  120_000,
);
