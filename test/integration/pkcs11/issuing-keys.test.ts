import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { hasPart, startSoftHsm, temporaryDirectory } from '../../parts/index.ts';
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
    await writeFile(temporary.join('key-file'), randomBytes(32), { mode: 0o600 });
    await writeFile(temporary.join('pin'), hsm.pin, { mode: 0o600 });
    const keys = { disk: { encryption: { keyFile: temporary.join('key-file') } } };
    const pkcs11 = {
      module: hsm.module,
      token: { label: hsm.label },
      pin: { file: temporary.join('pin') },
    };

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
