import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseCertificate } from '../../../src/pki/index.ts';
import { waitFor } from '../../parts/index.ts';
import { runCitadel } from '../../support/citadel.ts';
import { newRequest, startTestServer, type TestServer } from '../../support/server.ts';

async function citadel({ directory }: TestServer, ...args: readonly string[]) {
  return runCitadel([...args, '--socket', join(directory, 'operator.sock')], { directory, home: 'nobody' });
}

const why = ['--yes', '--reason', 'the safe was open'];

it('a root that signs no more is tainted and revoked: it leaves the bundle, and nobody gets a CRL for that', async () => {
  await using server = await startTestServer();
  const { authority, rotation, revocations, store } = server.app;
  const { activeRoot: old } = await rotation.status();
  const issue = async () => {
    const { csr } = await newRequest();
    const { certChain } = await server.create({ csr }, { token: (await server.token()).reveal() });
    return parseCertificate(certChain[0] ?? '').serialHex;
  };
  await issue();
  const ann = { by: 'operator:ann', proof: 'client-certificate', reason: 'the safe was open' };
  await rotation.start({ ...ann, oldRoot: old });
  await waitFor(async () => (await rotation.status()).rotation?.phase === 'distribute');
  await rotation.continue({ ...ann, phase: 'distribute', force: true });
  await waitFor(() => authority.issuer().record.rootFingerprint !== old);
  expect((await citadel(server, 'authority', 'revoke', old, ...why)).stderr).toContain('is not tainted');
  expect(await citadel(server, 'authority', 'taint', old, ...why)).toMatchObject({ code: 0 });

  const shown = await citadel(server, 'authority', 'revoke', old, '--reason', 'the safe was open');
  expect(shown).toMatchObject({ code: 1, stderr: expect.stringContaining('Revokes 1 certificate of') });
  expect(authority.bundle().authorities).toHaveLength(2);
  expect(await citadel(server, 'authority', 'revoke', old, ...why)).toMatchObject({ code: 0 });
  expect(authority.bundle().authorities.map((der) => parseCertificate(der).fingerprint)).toStrictEqual([
    authority.issuer().record.rootFingerprint,
  ]);
  expect(revocations.status().enforcement.kind).toBe('notNeeded');
  await issue();
  expect((await store.audit.find({ action: 'authority.revoke', limit: 9 })).items).toHaveLength(1);
  // What would end `drain` is done: the rotation that is under way goes on from there, by itself.
  await waitFor(async () => (await rotation.status()).rotation?.phase === 'retire');
}, 120_000);

it('an abort goes back to the old root, and not to the issuing authority under it that was revoked meanwhile', async () => {
  await using server = await startTestServer();
  const { authority, rotation, revocations } = server.app;
  const issue = async () => {
    const { csr } = await newRequest();
    const { certChain } = await server.create({ csr }, { token: (await server.token()).reveal() });
    return parseCertificate(certChain[1] ?? '').fingerprint;
  };
  const { record: stolen } = authority.issuer();
  expect(await issue()).toBe(stolen.fingerprint);
  const ann = { by: 'operator:ann', proof: 'client-certificate', reason: 'the disk was copied' };
  await rotation.start({ ...ann, oldRoot: stolen.rootFingerprint });
  await rotation.continue({ ...ann, phase: 'distribute', force: true });
  await waitFor(() => authority.issuer().record.rootFingerprint !== stolen.rootFingerprint);
  const under = await issue();
  for (const step of ['taint', 'revoke'])
    expect(await citadel(server, 'authority', step, stolen.id, ...why)).toMatchObject({ code: 0 });

  await rotation.abort({ ...ann, phase: 'drain' });
  const back = await waitFor(() => {
    const { record } = authority.issuer();
    return record.rootFingerprint === stolen.rootFingerprint && record;
  });
  expect(back.fingerprint).not.toBe(stolen.fingerprint);
  expect(await issue()).toBe(back.fingerprint);
  const { enforcement } = revocations.status();
  if (enforcement.kind !== 'enforced') throw new Error(JSON.stringify(enforcement));
  // What the new root's authority signed is good until it ends; what the stolen one signed is not.
  expect(enforcement.issuers.has(under)).toBe(true);
  expect(enforcement.issuers.has(back.fingerprint)).toBe(true);
  expect(enforcement.issuers.has(stolen.fingerprint)).toBe(false);
}, 120_000);
