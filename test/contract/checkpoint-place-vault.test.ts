import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openVaultCheckpoints } from '../../src/adapters/checkpoints/index.ts';
import type { VaultAuth } from '../../src/adapters/vault/index.ts';
import { silentLog, systemClock, systemEntropy } from '../../src/kernel/index.ts';
import { hasPart } from '../parts/locate.ts';
import { type OpenBao, startOpenBao } from '../parts/openbao.ts';
import { setUpAppRole } from '../parts/vault-home.ts';
import { waitFor } from '../parts/wait-for.ts';
import { checkpointPlaceContract } from './checkpoint-place.ts';

const path = 'citadel/audit';

describe.skipIf(!hasPart('openbao'))('on a real OpenBao, under the policy of deploy/vault', () => {
  let bao: OpenBao;
  let auth: VaultAuth;
  beforeAll(async () => {
    bao = await startOpenBao();
    auth = await setUpAppRole(bao);
    await bao.request('POST', 'sys/mounts/secret', { type: 'kv', options: { version: '2' } });
    const answers = () =>
      forget().then(
        () => true,
        () => false,
      );
    await waitFor(answers, { what: 'the key-value engine to answer' });
  });
  afterAll(async () => {
    await bao[Symbol.asyncDispose]();
  });

  const open = () =>
    openVaultCheckpoints({
      address: bao.address,
      auth,
      path,
      clock: systemClock,
      entropy: systemEntropy,
      log: silentLog,
    });
  const forget = () => bao.request('DELETE', `secret/metadata/${path}`);
  const signal = () => AbortSignal.timeout(10_000);

  checkpointPlaceContract('vault', async () => {
    await forget();
    return { open, [Symbol.asyncDispose]: async () => {} };
  });

  test('a checkpoint that was deleted is not taken for none', async () => {
    await forget();
    const place = await open();
    await place.put('note\n', undefined, signal());
    await bao.request('DELETE', `secret/data/${path}`);
    await expect(place.last?.(signal())).rejects.toMatchObject({ code: 'DataLoss' });
    await expect(place.put('another\n', undefined, signal())).rejects.toMatchObject({ code: 'DataLoss' });
    await bao.request('POST', `secret/undelete/${path}`, { versions: [1] });
    expect(await place.last?.(signal())).toBe('note\n');
    await place.close();
  });

  test('is away while OpenBao is sealed, and goes on afterwards', async () => {
    await forget();
    const place = await open();
    await place.put('note\n', undefined, signal());
    await bao.seal();
    await expect(place.put('another\n', 'note\n', signal())).rejects.toMatchObject({ code: 'Unavailable' });
    await bao.unseal();
    await place.put('another\n', 'note\n', signal());
    expect(await place.last?.(signal())).toBe('another\n');
    await place.close();
  });

  test('the policy lets nobody delete what was sworn to', async () => {
    await forget();
    const place = await open();
    await place.put('note\n', undefined, signal());
    if (auth.kind !== 'approle') throw new Error('another kind of login');
    const login = await bao.request(
      'POST',
      'auth/approle/login',
      { role_id: auth.roleId, secret_id: auth.secretId.reveal() },
      { token: null },
    );
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const token = (login as { auth: { client_token: string } }).auth.client_token;
    for (const call of [
      ['DELETE', `secret/data/${path}`],
      ['DELETE', `secret/metadata/${path}`],
      ['POST', `secret/destroy/${path}`],
    ] as const)
      await expect(bao.request(call[0], call[1], { versions: [1] }, { token })).rejects.toMatchObject({
        status: 403,
      });
    await place.close();
  });
});
