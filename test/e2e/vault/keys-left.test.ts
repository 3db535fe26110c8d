import { writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { KeyManager } from '../../../src/domain/ports/index.ts';
import { createRootCertificate, toPem } from '../../../src/pki/index.ts';
import {
  hasPart,
  type OpenBao,
  startOpenBao,
  type TemporaryDirectory,
  temporaryDirectory,
  waitFor,
} from '../../parts/index.ts';
import { startTestServer, type TestServer, trustDomain } from '../../support/server.ts';
import { openVaultKeys, vaultSettings } from '../../support/vault-settings.ts';

const ann = { by: 'operator:ann', proof: 'client-certificate', reason: 'another root' };
const hour = 3_600_000;

describe.skipIf(!hasPart('openbao'))('the old root’s key, in a real OpenBao', () => {
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

  const start = (settings: Record<string, unknown>) =>
    startTestServer(settings, { directory: temporary.path });
  /** Up to the end of drain: nobody but the server holds a certificate. */
  async function rotated({ app: { rotation } }: TestServer, words: object = {}) {
    const { activeRoot } = await rotation.status();
    await rotation.start({ ...ann, oldRoot: activeRoot });
    await rotation.continue({ ...ann, phase: 'distribute', force: false, ...words });
    return rotation.continue({ ...ann, phase: 'drain', force: false });
  }

  it.each([
    { asked: false, there: true },
    { asked: true, there: false },
  ])(
    'that others had made there goes by an operator’s word alone: asked $asked',
    async ({ asked, there }) => {
      const keyId = `company-${asked ? 'asked' : 'kept'}`;
      const certificate = await createRootCertificate({
        signer: await keys.generate(keyId, 'ecdsa-p384'),
        subject: 'Root of the company',
        notBefore: new Date(Date.now() - hour),
        notAfter: new Date(Date.now() + 1000 * hour),
        trustDomain,
      });
      const file = temporary.join('root.pem');
      await writeFile(file, toPem(certificate));
      const { vault, issuingKeys } = await vaultSettings(bao, temporary.path);
      const existing = { pem: { certificate: file, roots: file, keyId } };
      await using server = await start({ keys: { vault }, issuingKeys, authority: { existing } });
      const { rotation, keysLeft } = await rotated(server, { destroyImportedKey: asked });
      expect(rotation?.phase).toBe('done');
      expect((await keys.get(keyId)) !== undefined).toBe(there);
      expect(keysLeft).toMatchObject(there ? [{ backend: 'vault', keyId, why: 'it was not made here' }] : []);
    },
  );

  it('is left behind by an operator’s word where OpenBao is gone for good', async () => {
    const lost = await startOpenBao();
    const { vault, issuingKeys } = await vaultSettings(lost, temporary.path);
    const before = await start({ keys: { vault }, issuingKeys });
    await before.stop();
    const { encryption } = issuingKeys.disk;
    const moving = { keys: { disk: { encryption } }, formerKeys: { vault }, issuingKeys };
    const server = await start(moving);
    const { rotation } = server.app;
    const { activeRoot } = await rotation.status();
    await rotation.start({ ...ann, oldRoot: activeRoot });
    await rotation.continue({ ...ann, phase: 'distribute', force: false });
    await lost[Symbol.asyncDispose]();
    const ended = rotation.continue({ ...ann, phase: 'drain', force: false });
    await expect(ended).rejects.toMatchObject({
      code: 'Unavailable',
      message: expect.stringMatching(
        /root-[0-9a-f]{16} in the vault key home cannot be destroyed yet.*--leave-key/,
      ),
    });
    await waitFor(async () => (await rotation.status()).obstacle?.includes('--leave-key'));
    const done = await rotation.continue({ ...ann, phase: 'retire', force: false, leaveKey: true });
    expect(done).toMatchObject({
      rotation: { phase: 'done' },
      keysLeft: [{ backend: 'vault', why: 'left behind by the word of operator:ann: another root' }],
    });
    await server.stop();
    await using after = await start({ keys: { disk: { encryption } }, issuingKeys });
    expect((await after.app.rotation.status()).activeRoot).not.toBe(activeRoot);
  }, 90_000);
});
