import { expect, it } from 'vitest';
import { hasPart, startSoftHsm, temporaryDirectory } from '../../parts/index.ts';
import { runCitadel } from '../../support/citadel.ts';
import { diskKeys } from '../../support/disk-keys.ts';
import { pkcs11Settings } from '../../support/pkcs11-settings.ts';
import { newRequest, startTestServer } from '../../support/server.ts';

interface Rehearsed {
  readonly ok: boolean;
  readonly steps: readonly { readonly name: string; readonly result: string }[];
}

it.skipIf(!hasPart('softhsm'))(
  'citadel rotate rehearse does each step on a real token before the root goes there, and leaves nothing on it',
  async () => {
    await using hsm = await startSoftHsm();
    await using temporary = await temporaryDirectory();
    process.env['SOFTHSM2_CONF'] = hsm.configuration;
    const { path: directory } = temporary;
    const disk = diskKeys(directory);
    const pkcs11 = { ...pkcs11Settings(hsm, directory), timeout: '5s' };
    const before = await startTestServer({ keys: disk }, { directory });
    await before.stop();
    await using server = await startTestServer(
      { keys: { pkcs11 }, formerKeys: disk, issuingKeys: disk },
      { directory },
    );
    const rehearse = async () => {
      const socket = temporary.join('operator.sock');
      const { code, stdout } = await runCitadel(['rotate', 'rehearse', '-o', 'json', '--socket', socket], {
        directory,
        home: 'home',
      });
      const { ok, steps }: Rehearsed = JSON.parse(stdout);
      const wrong = steps.filter(({ result }) => result === 'failed').map(({ name }) => name);
      return { code, ok, wrong };
    };
    expect(await rehearse()).toStrictEqual({ code: 0, ok: true, wrong: [] });
    expect(await hsm.shown()).toBe(0);
    expect(await hsm.objects()).toStrictEqual([]);

    await hsm.remove();
    expect(await rehearse()).toStrictEqual({ code: 2, ok: false, wrong: ['reach the key home'] });
    await hsm.insert();
    expect(await rehearse()).toMatchObject({ ok: true });
    expect(await hsm.shown()).toBe(0);
    // Issuing was untouched: the root's key is on the disk still.
    await server.create({ csr: (await newRequest()).csr }, { token: (await server.token()).reveal() });
  },
  120_000,
);
