import { cp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parseCertificate } from '../../../src/pki/index.ts';
import { freePort, temporaryDirectory, waitFor } from '../../parts/index.ts';
import { diskKeys } from '../../support/disk-keys.ts';
import { startFleet } from '../../support/fleet/index.ts';
import { newRequest, startTestServer, type TestServer } from '../../support/server.ts';

const ann = { by: 'operator:ann', proof: 'client-certificate', reason: 'stolen', dryRun: false } as const;

/** @param csr port; 0: any */
async function disk(csr = 0) {
  const temporary = await temporaryDirectory();
  const keys = diskKeys(temporary.path);
  const listen = { csr: `127.0.0.1:${csr}`, metrics: '127.0.0.1:0', operator: '127.0.0.1:0' };
  const settings = { keys, listen };
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
    const after = second.app.revocations.crl(issuer);
    expect(after?.serials).toStrictEqual(new Set([bad, next]));
    expect(after?.number).toBeGreaterThan(number);
  });

  it('in a store from before: CRLs have larger numbers, and who has an authority that it does not know comes by himself', async () => {
    const { temporary, start } = await disk(await freePort());
    await using _gone = temporary;
    const store = temporary.join('citadel.db');
    const first = await start();
    const [bad, later] = [await issue(first), await issue(first)];
    await revoke(first, bad);
    const { record } = first.app.authority.issuer();
    await first.stop();
    await cp(store, `${store}.backup`);

    const lost = await start();
    const { authority } = lost.app;
    await revoke(lost, later);
    const given = lost.app.revocations.crl(record.fingerprint);
    await authority.change(() => lost.app.store.authorities.save({ ...record, tainted: true }));
    await authority.tick();
    const unknown = authority.issuer().record;
    expect(unknown.id).not.toBe(record.id);
    const bundleFile = temporary.join('roots.pem');
    await writeFile(bundleFile, authority.bundle().pem);
    await using fleet = await startFleet({
      size: 1,
      directory: temporary.join('f'),
      trustDomain: 'example.org',
      bundleFile,
      token: () => lost.token(),
      serverPort: () => lost.app.csr.port,
    });
    const issuerOf = () => fleet.agents[0]?.snapshot?.identity?.issuer;
    expect(issuerOf()).toBe(unknown.fingerprint);
    await lost.stop();

    // As from a backup, which has no key that was made after it.
    await rm(temporary.join(`issuing-keys/${unknown.keyId}.key`));
    for (const name of ['citadel.db-wal', 'citadel.db-shm']) await rm(temporary.join(name), { force: true });
    await rename(`${store}.backup`, store);
    await using back = await start();
    expect(back.app.revocations.isRevoked({ serial: later, issuer: record.fingerprint })).toBe(false);
    await revoke(back, later);
    const again = back.app.revocations.crl(record.fingerprint);
    expect(again?.number).toBeGreaterThan(given?.number ?? Infinity);
    expect(again?.serials).toStrictEqual(new Set([bad, later]));
    // Of that one there is no CRL, so proxies refuse what it issued: to take it would be to take what is revoked, too.
    expect(enforced(back).issuers).not.toContain(unknown.fingerprint);
    await waitFor(() => issuerOf() === back.app.authority.issuer().record.fingerprint, {
      deadline: 60_000,
      what: 'the agent under an unknown authority to have another certificate',
    });
  }, 120_000);

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
