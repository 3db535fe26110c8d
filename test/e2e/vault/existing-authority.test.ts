import { writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { KeyManager } from '../../../src/domain/ports/index.ts';
import { createRootCertificate, parseCertificate, toPem } from '../../../src/pki/index.ts';
import {
  hasPart,
  type OpenBao,
  startOpenBao,
  type TemporaryDirectory,
  temporaryDirectory,
  waitFor,
} from '../../parts/index.ts';
import { newRequest, startTestServer, trustDomain } from '../../support/server.ts';
import { openVaultKeys, vaultSettings } from '../../support/vault-settings.ts';

const hour = 3_600_000;

describe.skipIf(!hasPart('openbao'))('an existing authority whose key is in a real OpenBao', () => {
  let bao: OpenBao;
  let keys: KeyManager;
  let temporary: TemporaryDirectory;
  beforeAll(async () => {
    bao = await startOpenBao();
    keys = await openVaultKeys(bao);
  });
  afterAll(async () => {
    await keys?.close();
    await bao?.[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    temporary = await temporaryDirectory();
  });
  afterEach(() => temporary[Symbol.asyncDispose]());

  /** A root whose key was made in transit by somebody else and has never been anywhere else. */
  async function companyRoot(keyId: string): Promise<string> {
    const now = Math.floor(Date.now() / 1000) * 1000;
    const certificate = await createRootCertificate({
      signer: await keys.generate(keyId, 'ecdsa-p384'),
      subject: `Root of the company ${keyId}`,
      notBefore: new Date(now - hour),
      notAfter: new Date(now + 1000 * hour),
      trustDomain,
    });
    return toPem(certificate);
  }

  /** Certificate alone: there is no file of the key. */
  async function settingsFor(root: string, keyId: string, issuing: object = {}) {
    const file = temporary.join('root.pem');
    await writeFile(file, root);
    const { vault, issuingKeys } = await vaultSettings(bao, temporary.path);
    const existing = { pem: { certificate: file, roots: file, keyId } };
    return { keys: { vault }, issuingKeys, authority: { existing, issuing } };
  }

  const start = (settings: Record<string, unknown>) =>
    startTestServer(settings, { directory: temporary.path });

  async function issue(server: Awaited<ReturnType<typeof start>>): Promise<readonly string[]> {
    const token = (await server.token()).reveal();
    return (await server.create({ csr: (await newRequest()).csr }, { token })).certChain;
  }

  it('signs our issuing authorities from there, at a restart and each next one too', async () => {
    const root = await companyRoot('company-root');
    const soon = { lifetime: '40s', prepareAt: 0.2, activateAt: 0.25 };
    const settings = {
      ...(await settingsFor(root, 'company-root', soon)),
      certificate: { defaultTtl: '25s', maximumTtl: '25s', notBeforeSkew: '1s' },
    };
    const first = await start(settings);
    const before = await issue(first);
    const { items } = await first.app.store.audit.find({ action: 'authority.import', limit: 5 });
    await first.stop();
    expect(before).toHaveLength(3);
    expect(parseCertificate(before[1] ?? '').subject).toMatch(/Citadel issuing authority/);
    expect(before[2]).toBe(root);
    const { fingerprint } = parseCertificate(root);
    expect(items).toEqual([
      expect.objectContaining({
        outcome: 'allowed',
        target: fingerprint,
        details: { root: fingerprint, signs: 'issuing authorities', keyBackend: 'vault' },
      }),
    ]);

    await using second = await start(settings);
    expect((await issue(second))[2]).toBe(root);
    const next = await waitFor(
      async () => {
        const chain = await issue(second);
        return chain[1] === before[1] ? undefined : chain;
      },
      { what: 'the next authority' },
    );
    expect(next[2]).toBe(root);
  });

  it('is refused where Vault has no key of that id', async () => {
    const settings = await settingsFor(await companyRoot('there'), 'not-there');
    await expect(start(settings)).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringMatching(/vault key home.* has no key not-there, and none was given/),
    });
  });

  it('is refused where the key in Vault is another one, which stays as it was', async () => {
    const settings = await settingsFor(await companyRoot('its-own'), 'of-another');
    const other = await keys.generate('of-another', 'ecdsa-p384');
    await expect(start(settings)).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringMatching(/private key does not belong/),
    });
    expect((await keys.get('of-another'))?.publicKey).toEqual(other.publicKey);
  });
});
