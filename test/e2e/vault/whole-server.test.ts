import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../../src/adapters/metrics/index.ts';
import { systemClock } from '../../../src/kernel/index.ts';
import { parseCertificate } from '../../../src/pki/index.ts';
import { hasPart, startOpenBao, temporaryDirectory, waitFor } from '../../parts/index.ts';
import { readyz, sample } from '../../support/observe.ts';
import { newRequest, startTestServer, type TestServer } from '../../support/server.ts';
import { vaultSettings } from '../../support/vault-settings.ts';

const soon = { lifetime: '40s', prepareAt: 0.2, activateAt: 0.25 };
const short = { defaultTtl: '25s', maximumTtl: '25s', notBeforeSkew: '1s' };

describe.skipIf(!hasPart('openbao'))('a server whose root is in a real OpenBao', { concurrent: true }, () => {
  async function issue(server: TestServer) {
    const token = (await server.token()).reveal();
    const { certChain } = await server.create({ csr: (await newRequest()).csr }, { token });
    return { issuing: certChain[1] ?? '', root: certChain.at(-1) ?? '' };
  }

  const keyHomeUp = (server: TestServer, backend: string) =>
    sample(server, `citadel_key_home_up{backend="${backend}"}`);

  it('goes on issuing through a restart while OpenBao is sealed, says so, and is well again after', async () => {
    await using bao = await startOpenBao();
    await using temporary = await temporaryDirectory();
    const directory = temporary.path;
    const { vault, issuingKeys } = await vaultSettings(bao, directory);
    const start = () =>
      startTestServer(
        { keys: { vault }, issuingKeys },
        { directory, metrics: createMetrics(systemClock, { process: false }) },
      );
    const first = await start();
    const before = await issue(first);
    await waitFor(async () => (await keyHomeUp(first, 'vault')) === 1);
    await first.stop();

    await bao.seal();
    try {
      await using again = await start();
      const meanwhile = await issue(again);
      expect(meanwhile).toEqual(before);
      await waitFor(async () => (await keyHomeUp(again, 'vault')) === 0);
      const { status, text } = await readyz(again);
      expect(status).toBe(200);
      expect(text).toMatch(/^\[!\]root-key warning/m);

      await bao.unseal();
      await waitFor(async () => (await keyHomeUp(again, 'vault')) === 1, {
        what: 'the root key to be back',
      });
      expect((await readyz(again)).text).not.toMatch(/root-key.*warning/i);
      expect(await issue(again)).toEqual(before);
    } finally {
      await bao.unseal();
    }
  });

  it('has each next issuing authority signed by the key in transit', async () => {
    await using bao = await startOpenBao();
    await using temporary = await temporaryDirectory();
    const { vault, issuingKeys } = await vaultSettings(bao, temporary.path);
    await using server = await startTestServer(
      { keys: { vault }, issuingKeys, authority: { issuing: soon }, certificate: short },
      { directory: temporary.path },
    );
    const before = await issue(server);
    await waitFor(async () => (await issue(server)).issuing !== before.issuing, {
      what: 'the next authority',
    });
    const after = await issue(server);
    expect(after.root).toBe(before.root);
  });

  it('takes PKI as its upstream: chains end in the company’s root, and the next authority too', async () => {
    await using bao = await startOpenBao();
    await using temporary = await temporaryDirectory();
    await bao.request('POST', 'sys/mounts/pki', { type: 'pki', config: { max_lease_ttl: '87600h' } });
    const root = { common_name: 'Company root', key_type: 'ec', ttl: '24h' };
    await bao.request('POST', 'pki/root/generate/internal', root);
    const { vault, issuingKeys } = await vaultSettings(bao, temporary.path);
    await using server = await startTestServer(
      {
        keys: issuingKeys,
        authority: { upstream: { vaultPki: vault }, issuing: soon },
        certificate: short,
      },
      { directory: temporary.path, metrics: createMetrics(systemClock, { process: false }) },
    );
    const before = await issue(server);
    expect(parseCertificate(before.root).subject).toBe('CN=Company root');
    await waitFor(async () => (await keyHomeUp(server, 'vault-pki')) === 1);
    await waitFor(async () => (await issue(server)).issuing !== before.issuing, {
      what: 'the next authority',
    });
    expect((await issue(server)).root).toBe(before.root);
  });
});
