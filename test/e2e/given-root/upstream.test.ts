import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCertificate } from '../../../src/pki/index.ts';
import { hasPart, type OpenBao, startOpenBao, temporaryDirectory, waitFor } from '../../parts/index.ts';
import { runCitadel } from '../../support/citadel.ts';
import { diskKeys } from '../../support/disk-keys.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { continueRotation, issueChain, rootsOf } from '../../support/rotating.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { setUpVaultPki } from '../../support/vault-pki.ts';

const ann = { by: 'operator:ann', proof: 'client-certificate', reason: 'the company has a PKI' };
const certificate = { defaultTtl: '12s', maximumTtl: '12s', notBeforeSkew: '1s' };

/** The next one is made after a second or two. */
const issuing = { lifetime: '60s', prepareAt: 0.02, activateAt: 0.7 };

const issue = async (server: TestServer) => rootsOf(await issueChain(server));
const continued = (server: TestServer) => continueRotation(server, ann);

/** From distribute to the end, as far as this one client goes. */
async function goOnToTheEnd(server: TestServer): Promise<void> {
  const { rotation } = server.app;
  expect((await rotation.status()).rotation?.phase).toBe('distribute');
  expect(await issue(server)).toBe(2);
  const { gate } = await rotation.status();
  await rotation.excuse({ ...ann, proxyKey: gate?.unproven[0]?.proxy.proxyKey ?? '' });
  expect(await continued(server)).toBe('drain');
  expect(await issue(server)).toBe(2);
  await waitFor(async () => (await rotation.status()).gate?.open);
  expect(await continued(server)).toBe('done');
}

describe.skipIf(!hasPart('openbao'))('a rotation to the root of a real PKI in OpenBao', () => {
  let bao: OpenBao;
  let mounts = 0;
  beforeAll(async () => {
    bao = await startOpenBao();
  });
  afterAll(() => bao?.[Symbol.asyncDispose]());

  async function home() {
    const temporary = await temporaryDirectory();
    const { path: directory } = temporary;
    const keys = diskKeys(directory);
    mounts += 1;
    const pki = await setUpVaultPki(bao, directory, `pki${mounts}`);
    const start = (authority: object, log = recordingLog().log) =>
      startTestServer({ keys, certificate, authority }, { directory, log });
    const rootKeys = async () =>
      (await readdir(temporary.join('keys'))).filter((name) => /^root-.*\.key$/.test(name));
    return { temporary, directory, pki, start, rootKeys };
  }

  it.concurrent('and back: a restart with another setting changes no root, and each end destroys what is ours alone', async () => {
    const { temporary, pki, start, rootKeys } = await home();
    await using _temporary = temporary;
    const upstream = { vaultPki: pki.vaultPki };
    const { fingerprint } = parseCertificate(pki.root);

    const before = await start({ issuing });
    expect(await issue(before)).toBe(1);
    const { activeRoot } = await before.app.rotation.status();
    await expect(
      before.app.rotation.start({ ...ann, oldRoot: activeRoot, from: 'upstream' }),
    ).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringContaining('authority.upstream'),
    });
    await before.stop();

    const named = await start({ upstream, issuing });
    expect((await named.app.rotation.status()).activeRoot).toBe(activeRoot);
    expect(await issue(named)).toBe(1);
    // The next issuing authority too is signed by the root that is active.
    await waitFor(() =>
      named.app.authority
        .records()
        .some(({ state, rootFingerprint }) => state === 'prepared' && rootFingerprint === activeRoot),
    );
    const tried = await runCitadel(
      ['rotate', 'rehearse', '--from', 'upstream', '--socket', join(temporary.path, 'operator.sock')],
      { directory: temporary.path, home: 'nobody' },
    );
    expect(tried.stdout).toMatch(
      /have that PKI sign an issuing certificate +done +verified; that PKI may keep/,
    );
    expect(tried.stdout).toMatch(/sign a CRL +done/);
    expect(tried.stdout).toMatch(/read it back +done +2 roots/);
    expect(tried.stdout).not.toMatch(/failed|skipped/);
    expect(tried.code).toBe(0);
    expect((await readdir(temporary.join('issuing-keys'))).join()).not.toContain('rehearsal');
    expect(named.app.authority.bundle().authorities).toHaveLength(1);
    const wanted = { from: 'upstream', crossSign: true } as const;
    const plan = await named.app.rotation.plan(wanted);
    expect(plan.newRoot).toMatchObject({ fingerprint, keyHome: 'upstream' });
    await named.app.rotation.start({ ...ann, ...wanted, oldRoot: activeRoot, plan: plan.token });
    const taken = named.app.authority.records().find((record) => record.fingerprint === fingerprint);
    const oldRoot = named.app.authority.bundle().authorities.map((der) => parseCertificate(der));
    const cross = parseCertificate(taken?.intermediates[0] ?? '');
    expect(oldRoot.find((root) => root.fingerprint === activeRoot)?.subject).toBe(cross.issuer);
    await goOnToTheEnd(named);
    expect((await named.app.rotation.status()).activeRoot).toBe(fingerprint);
    expect(named.app.authority.issuer().record.rootFingerprint).toBe(fingerprint);
    expect(await rootKeys()).toEqual([]);
    await expect(
      named.app.rotation.start({ ...ann, oldRoot: fingerprint, from: 'upstream' }),
    ).rejects.toMatchObject({ message: expect.stringContaining('is the active one') });
    await named.stop();

    const back = await start({ formerUpstream: upstream });
    expect((await back.app.rotation.status()).activeRoot).toBe(fingerprint);
    expect(await issue(back)).toBe(1);
    await back.app.rotation.start({ ...ann, oldRoot: fingerprint });
    await goOnToTheEnd(back);
    expect((await back.app.rotation.status()).activeRoot).not.toBe(fingerprint);
    expect(await rootKeys()).toHaveLength(1);
    await back.stop();

    await using after = await start({});
    expect(await issue(after)).toBe(1);
  }, 180_000);

  it.concurrent('never comes by itself: a PKI of another root signs nothing until it is rotated to', async () => {
    const { temporary, directory, pki, start } = await home();
    await using _temporary = temporary;
    const other = await setUpVaultPki(bao, directory, 'other');
    const first = await start({ upstream: { vaultPki: pki.vaultPki }, issuing });
    expect(await issue(first)).toBe(1);
    const { activeRoot } = await first.app.rotation.status();
    await first.stop();
    expect(activeRoot).toBe(parseCertificate(pki.root).fingerprint);

    const { log, lines } = recordingLog();
    const second = await start({ upstream: { vaultPki: other.vaultPki }, issuing }, log);
    await waitFor(() =>
      lines.some(({ fields }) => /that the configuration does not name/.test(JSON.stringify(fields))),
    );
    expect(await issue(second)).toBe(1);
    expect((await second.app.rotation.status()).activeRoot).toBe(activeRoot);
    const fingerprints = second.app.authority.records().map(({ rootFingerprint }) => rootFingerprint);
    expect(new Set(fingerprints)).toEqual(new Set([activeRoot]));
    const known = new Set(second.app.authority.records().map(({ id }) => id));
    await second.stop();

    // By a rotation it does, while the one that is left goes on signing.
    const both = {
      upstream: { vaultPki: other.vaultPki },
      formerUpstream: { vaultPki: pki.vaultPki },
      issuing,
    };
    await using third = await start(both);
    await waitFor(() =>
      third.app.authority
        .records()
        .some(({ id, rootFingerprint }) => !known.has(id) && rootFingerprint === activeRoot),
    );
    expect(await issue(third)).toBe(1);
    await third.app.rotation.start({ ...ann, oldRoot: activeRoot, from: 'upstream' });
    await goOnToTheEnd(third);
    expect((await third.app.rotation.status()).activeRoot).toBe(parseCertificate(other.root).fingerprint);
  }, 120_000);

  // By itself: it seals the others' PKI too.
  it('waits while the PKI cannot sign, and goes back by abort without a trace of a key', async () => {
    const { temporary, pki, start, rootKeys } = await home();
    await using _temporary = temporary;
    const first = await start({});
    const { activeRoot } = await first.app.rotation.status();
    await first.stop();
    await using server = await start({ upstream: { vaultPki: pki.vaultPki } });
    const { rotation } = server.app;
    expect(await issue(server)).toBe(1);
    await rotation.start({ ...ann, oldRoot: activeRoot, from: 'upstream' });
    expect(await issue(server)).toBe(2);
    const { gate } = await rotation.status();
    await rotation.excuse({ ...ann, proxyKey: gate?.unproven[0]?.proxy.proxyKey ?? '' });
    await bao.seal();
    expect(await continued(server)).toBe('drain');
    // The issuing authority under the old root goes on meanwhile.
    expect(server.app.authority.issuer().record.rootFingerprint).toBe(activeRoot);
    expect(await issue(server)).toBe(2);
    await bao.unseal();
    await waitFor(() => server.app.authority.issuer().record.rootFingerprint !== activeRoot, {
      deadline: 60_000,
    });
    await rotation.abort({ ...ann, phase: 'drain' });
    expect(server.app.authority.issuer().record.rootFingerprint).toBe(activeRoot);
    await waitFor(async () => (await rotation.status()).rotation?.phase === 'aborted', { deadline: 60_000 });
    expect(await issue(server)).toBe(1);
    expect(await rootKeys()).toHaveLength(1);
  }, 180_000);
});
