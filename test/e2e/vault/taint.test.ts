import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasPart, startOpenBao, temporaryDirectory, waitFor } from '../../parts/index.ts';
import { runCitadel } from '../../support/citadel.ts';
import { newRequest, startTestServer } from '../../support/server.ts';
import { vaultSettings } from '../../support/vault-settings.ts';

describe.skipIf(!hasPart('openbao'))('a taint while the root key’s home is away', () => {
  it('is on record, says that the tainted one goes on, and is carried out when the home is back', async () => {
    await using bao = await startOpenBao();
    await using temporary = await temporaryDirectory();
    const directory = temporary.path;
    const { vault, issuingKeys } = await vaultSettings(bao, directory);
    await using server = await startTestServer({ keys: { vault }, issuingKeys }, { directory });
    const { authority } = server.app;
    const token = (await server.token()).reveal();
    const issue = async () => server.create({ csr: (await newRequest()).csr }, { token });
    await issue();
    const { id, fingerprint } = authority.issuer().record;
    const socket = ['--socket', join(directory, 'operator.sock')];
    const citadel = (...args: string[]) => runCitadel([...args, ...socket], { directory, home: 'nobody' });

    await bao.seal();
    const outcome = await citadel('authority', 'taint', id, '--yes', '--reason', 'stolen');
    expect(outcome.code).toBe(1);
    expect(outcome.stdout).toContain(`${id} is tainted`);
    expect(outcome.stderr).toContain('The taint is on record, but no other issuing authority signs yet: ');
    expect(outcome.stderr).toContain(`${id} GOES ON SIGNING`);
    expect((await citadel('authority', 'list')).stdout).toMatch(/active \(tainted\).*no other signs yet$/m);
    const checked = await citadel('check');
    expect(checked).toMatchObject({
      code: 1,
      stdout: expect.stringContaining(`${id} is tainted and goes on signing`),
    });
    await issue();
    expect(authority.isSuperseded(fingerprint)).toBe(false);

    await bao.unseal();
    await waitFor(() => authority.isSuperseded(fingerprint), {
      deadline: 90_000,
      what: 'another issuing authority to sign',
    });
    expect(authority.issuer().record.id).not.toBe(id);
    const again = await citadel('authority', 'taint', id, '--yes');
    expect(again).toMatchObject({ code: 0, stderr: expect.not.stringContaining('GOES ON SIGNING') });
    expect(again.stdout).toContain('1 workloads hold no stream');
    await issue();
    expect((await citadel('authority', 'list')).stdout).toMatch(/old \(tainted\).*done$/m);
    const events = await server.app.store.audit.find({ action: 'authority.taint', limit: 9 });
    expect(events.items).toMatchObject([{ target: id, reason: 'stolen' }]);
  }, 120_000);
});
