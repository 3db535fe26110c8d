import { randomBytes } from 'node:crypto';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parseCertificate } from '../../../src/pki/index.ts';
import { temporaryDirectory } from '../../parts/index.ts';
import { newRequest, startTestServer, type TestServer } from '../../support/server.ts';

const ann = { by: 'operator:ann', proof: 'client-certificate', reason: 'stolen', dryRun: false } as const;

async function disk() {
  const temporary = await temporaryDirectory();
  const keyFile = temporary.join('key-file');
  await writeFile(keyFile, randomBytes(32), { mode: 0o600 });
  const settings = { keys: { disk: { encryption: { keyFile } } } };
  return { temporary, start: () => startTestServer(settings, { directory: temporary.path }) };
}

async function issue(server: TestServer) {
  const { csr } = await newRequest();
  const { certChain } = await server.create({ csr }, { token: (await server.token()).reveal() });
  return parseCertificate(certChain[0] ?? '').serialHex;
}

const revoke = ({ app }: TestServer, serial: string) =>
  app.revocationOrders.revoke({ ...ann, target: { kind: 'serial', serial }, code: 'keyCompromise' });

function enforced({ app }: TestServer) {
  const { enforcement } = app.revocations.status();
  if (enforcement.kind !== 'enforced') throw new Error(JSON.stringify(enforcement));
  return enforcement;
}

describe('what was revoked', () => {
  it('is so after a restart, with the same CRLs, and none of a smaller number', async () => {
    const { temporary, start } = await disk();
    await using _gone = temporary;
    const first = await start();
    const [bad, next] = [await issue(first), await issue(first)];
    await revoke(first, bad);
    const before = enforced(first).set;
    const issuer = first.app.authority.issuer().record.fingerprint;
    const { number } = first.app.revocations.crl(issuer) ?? { number: 0 };
    await first.stop();
    await using second = await start();
    expect(enforced(second).set.version).toBe(before.version);
    expect(second.app.revocations.isRevoked({ serial: bad, issuer })).toBe(true);
    await revoke(second, next);
    expect(second.app.revocations.crl(issuer)).toMatchObject({
      number: number + 1,
      serials: new Set([bad, next]),
    });
  });

  it('holds, and refuses nobody else, when the server of an issuing authority is lost with its key', async () => {
    const { temporary, start } = await disk();
    await using _gone = temporary;
    const lost = await start();
    const [bad, later] = [await issue(lost), await issue(lost)];
    const { record } = lost.app.authority.issuer();
    await revoke(lost, bad);
    await lost.stop();
    await rm(temporary.join('server-id'));
    for (const name of await readdir(temporary.join('issuing-keys')))
      if (name.startsWith('issuing-')) await rm(temporary.join(`issuing-keys/${name}`));

    await using server = await start();
    const present = server.app.authority.issuer().record;
    expect(present.id).not.toBe(record.id);
    // The CRL that was signed while the key was there outlasts all that it speaks of.
    const held = server.app.revocations.crl(record.fingerprint);
    expect(held?.serials).toStrictEqual(new Set([bad]));
    expect(held?.nextUpdate.getTime()).toBeGreaterThan(record.notAfter.getTime());
    expect(enforced(server).issuers).toContain(record.fingerprint);
    expect(enforced(server).issuers).toContain(present.fingerprint);

    // What is revoked now is refused here, and is on no CRL: that is told, and nobody else is refused.
    await revoke(server, later);
    const { status, sentences } = await server.app.revocationOrders.revocations();
    expect(status.unlisted).toStrictEqual([later]);
    expect(sentences.join()).toContain('the key of their issuer is away or lost');
    expect(enforced(server).issuers).toContain(record.fingerprint);
  });
});
