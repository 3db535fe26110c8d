import { describe, expect, it } from 'vitest';
import { hasPart, startSoftHsm, temporaryDirectory } from '../../parts/index.ts';
import { diskKeys } from '../../support/disk-keys.ts';
import { pkcs11Settings } from '../../support/pkcs11-settings.ts';
import { newRequest, startTestServer, type TestServer } from '../../support/server.ts';

async function issue(server: TestServer) {
  const { csr } = await newRequest();
  const { certChain } = await server.create({ csr }, { token: (await server.token()).reveal() });
  return { issuing: certChain[1], roots: certChain.at(-1) };
}

describe.skipIf(!hasPart('softhsm'))('issuing keys on a token of a real SoftHSM', () => {
  it('follow those on the disk after a restart, under the same root, and are there after the next', async () => {
    await using hsm = await startSoftHsm();
    await using temporary = await temporaryDirectory();
    process.env['SOFTHSM2_CONF'] = hsm.configuration;
    const { path: directory } = temporary;
    const keys = diskKeys(directory);
    const pkcs11 = pkcs11Settings(hsm, directory);

    const onDisk = await startTestServer({ keys }, { directory });
    const first = await issue(onDisk);
    await onDisk.stop();

    const moved = await startTestServer({ keys, issuingKeys: { pkcs11 } }, { directory });
    const second = await issue(moved);
    expect(second.roots).toBe(first.roots);
    expect(second.issuing).not.toBe(first.issuing);
    const shown = await hsm.shown();
    expect(shown).toBeGreaterThanOrEqual(2);
    const signing = moved.app.authority
      .records()
      .filter(({ kind, state }) => kind === 'issuing' && state === 'active');
    expect(signing.map(({ keyBackend }) => keyBackend)).toEqual(['pkcs11']);
    await moved.stop();

    await using again = await startTestServer({ keys, issuingKeys: { pkcs11 } }, { directory });
    expect(await issue(again)).toEqual(second);
    expect(await hsm.shown()).toBe(shown);
  }, 60_000);
});
