import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parseCertificate, toPem } from '../../../src/pki/index.ts';
import { hasPart, temporaryDirectory, waitFor } from '../../parts/index.ts';
import { runCitadel } from '../../support/citadel.ts';
import {
  type AuthorityFiles,
  below,
  cacertsSettings,
  newRoot,
  withoutCrlSign,
} from '../../support/company-authority.ts';
import { startEnvoyPair } from '../../support/envoy-pair.ts';
import { continueRotation, issueChain, issueWithKey, rootsOf } from '../../support/rotating.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { openssl } from '../../unit/pki/openssl.ts';

const ann = { by: 'operator:ann', proof: 'client-certificate', reason: 'the company has a PKI' };
const certificate = { defaultTtl: '12s', maximumTtl: '12s', notBeforeSkew: '1s' };

const continued = (server: TestServer) => continueRotation(server, ann);

/** A data directory, and servers in it. */
async function makeHome() {
  const temporary = await temporaryDirectory();
  const start = (settings: Record<string, unknown>) =>
    startTestServer({ ...settings, certificate }, { directory: temporary.path });
  const keysIn = async (home: string) =>
    (await readdir(temporary.join(home)).catch(() => [])).filter((name) => name.endsWith('.key'));

  /** A server of a root of its own, started again with an authority of the company in its configuration. */
  const serverThatNames = async (files: AuthorityFiles) => {
    const { keys, authority } = await cacertsSettings(temporary, files);
    const before = await start({ keys });
    const { activeRoot } = await before.app.rotation.status();
    await before.stop();
    const server = await start({ keys, authority });
    expect((await server.app.rotation.status()).activeRoot).toBe(activeRoot);
    expect(rootsOf(await issueChain(server))).toBe(1);
    const oldRoot = server.app.authority.bundle().pem;
    return { server, activeRoot, oldRoot, settings: { keys, authority } };
  };
  const dispose = () => temporary[Symbol.asyncDispose]();
  return { temporary, start, keysIn, serverThatNames, [Symbol.asyncDispose]: dispose };
}

async function toDrain(server: TestServer): Promise<void> {
  const { rotation } = server.app;
  expect(rootsOf(await issueChain(server))).toBe(2);
  const { gate } = await rotation.status();
  await rotation.excuse({ ...ann, proxyKey: gate?.unproven[0]?.proxy.proxyKey ?? '' });
  expect(await continued(server)).toBe('drain');
}

// Most of the time each waits, for certificates to end.
describe.concurrent('a rotation to a root of the user’s own PKI', () => {
  it.each([
    ['with its key', 'root'],
    ['above an intermediate whose key comes here', 'intermediate'],
    ['above an authority that signs leaves, as Istio has it', 'direct'],
  ] as const)(
    '%s goes through the same phases to the end',
    async (_what, kind) => {
      await using home = await makeHome();
      const { temporary, start, keysIn, serverThatNames } = home;
      const root = await newRoot();
      const ca = kind === 'root' ? root : await below(root, kind === 'direct' ? 0 : 1, 'ecdsa-p256');
      const chain = kind === 'root' ? [] : [ca.certificate];
      const { server, settings, oldRoot } = await serverThatNames({
        ...ca,
        chain,
        roots: [root.certificate],
      });
      const { fingerprint } = parseCertificate(root.certificate);
      const { rotation } = server.app;
      const { newRoot: planned, token } = await rotation.plan({ from: 'existing', crossSign: true });
      expect(planned).toMatchObject({ fingerprint, notAfter: parseCertificate(root.certificate).notAfter });
      const rehearsed = await server.app.rehearsal.rehearse({ ...ann, from: 'existing' });
      expect(rehearsed.steps.filter(({ result }) => result !== 'done')).toStrictEqual([]);
      const tried = rehearsed.steps.map(({ name }) => name);
      expect(tried.includes('sign an issuing certificate')).toBe(kind !== 'direct');
      expect([...(await keysIn('keys')), ...(await keysIn('issuing-keys'))].join()).not.toMatch(
        /imported|rehearsal/,
      );
      const socket = temporary.join('operator.sock');
      const words = ['--cross-sign', '--plan', token, '--reason', ann.reason, '--yes', '--socket', socket];
      const begun = await runCitadel(['authority', 'import', ...words], {
        directory: temporary.path,
        home: 'nobody',
      });
      expect(begun.stderr).toContain(fingerprint.slice(0, 16));
      expect(begun.code).toBe(0);
      await toDrain(server);
      const { certChain: issued, privateKeyPem } = await issueWithKey(server);
      expect(issued).toHaveLength(kind === 'intermediate' ? 5 : 4);
      if (kind !== 'root') expect(issued.at(-3)).toBe(toPem(ca.certificate));
      const [leaf = ''] = issued;
      const [above, roots] = [issued.slice(1, -1).join(''), oldRoot];
      const verify = (untrusted: string) =>
        openssl(
          { leaf, untrusted, roots },
          'verify',
          '-x509_strict',
          '-CAfile',
          '@roots',
          '-untrusted',
          '@untrusted',
          '@leaf',
        );
      expect(verify(above)).toMatch(/: OK\n$/);
      expect(() => verify(issued.slice(1, -2).join(''))).toThrow('unable to get');
      if (kind === 'intermediate' && hasPart('envoy')) {
        const identity = { chain: leaf + above, key: privateKeyPem, roots };
        await using pair = await startEnvoyPair(identity, identity);
        expect(await pair.call()).toBe(200);
      }
      await waitFor(async () => (await rotation.status()).gate?.open);
      expect(await continued(server)).toBe('done');
      await server.stop();

      const imported = `imported-${parseCertificate(ca.certificate).fingerprint.slice(0, 16)}.key`;
      expect(await keysIn('keys')).toEqual(kind === 'direct' ? [] : [imported]);
      if (kind === 'direct') expect(await keysIn('issuing-keys')).toContain(imported);
      await using after = await start(settings);
      expect((await issueChain(after)).at(-1)).toBe(toPem(root.certificate));
    },
    90_000,
  );

  it('to one whose authority signs no CRLs begins by an operator’s word, and never makes good what is revoked', async () => {
    await using home = await makeHome();
    const { temporary, serverThatNames } = home;
    const root = await newRoot();
    const ca = await withoutCrlSign(root);
    const files = { ...ca, chain: [ca.certificate], roots: [root.certificate] };
    const { server, activeRoot } = await serverThatNames(files);
    const { rotation, authority, rehearsal, revocationOrders } = server.app;
    const { ok, steps } = await rehearsal.rehearse({ ...ann, from: 'existing' });
    expect(ok).toBe(false);
    expect(steps.filter(({ result }) => result !== 'done')).toMatchObject([
      { name: 'sign a CRL', result: 'failed', detail: expect.stringContaining('lacks cRLSign') },
    ]);
    const bringIn = (...more: readonly string[]) =>
      runCitadel(
        [
          'authority',
          'import',
          '--reason',
          ann.reason,
          '--yes',
          '--socket',
          temporary.join('operator.sock'),
          ...more,
        ],
        { directory: temporary.path, home: 'nobody' },
      );
    const refused = await bringIn();
    expect(refused.code).toBe(2);
    // The plan that is shown before, and the refusal.
    expect(refused.stderr.match(/lacks cRLSign/g)).toHaveLength(2);
    expect(refused.stderr).toContain('or begin with --without-crls');
    expect((await rotation.status()).rotation).toBeUndefined();
    expect((await bringIn('--without-crls')).code).toBe(0);
    expect((await rotation.status()).rotation).toMatchObject({
      phase: 'distribute',
      words: [{ kind: 'force', target: 'without-crls', reason: ann.reason }],
    });

    const [leaf = ''] = await issueChain(server);
    const serial = parseCertificate(leaf).serialHex;
    const target = { kind: 'serial', serial } as const;
    await revocationOrders.revoke({ ...ann, target, code: 'keyCompromise', dryRun: false });
    const enforced = () => server.app.revocations.status().enforcement.kind;
    expect(enforced()).toBe('enforced');
    await toDrain(server);
    await authority.tick();
    // The other one would take the CRLs from everybody.
    expect(authority.issuer().record.rootFingerprint).toBe(activeRoot);
    expect((await rotation.status()).gate?.signing).toStrictEqual([authority.issuer().record.id]);
    expect(enforced()).toBe('enforced');

    await rotation.abort({ ...ann, phase: 'drain' });
    await waitFor(async () => (await rotation.status()).rotation?.phase === 'aborted');
    const { warnings } = await rotation.plan({ from: 'existing' });
    expect(warnings.join()).toContain('refused while something that is valid is revoked');
    const again = await bringIn('--without-crls');
    expect([again.code, again.stderr]).toStrictEqual([2, expect.stringContaining('would be good again')]);
    await server.stop();
  }, 60_000);

  it('goes back by abort; the key that came stays, for it was not made here', async () => {
    await using home = await makeHome();
    const { serverThatNames } = home;
    const root = await newRoot();
    const { server, activeRoot } = await serverThatNames({ ...root, chain: [], roots: [root.certificate] });
    const { rotation } = server.app;
    await rotation.start({ ...ann, oldRoot: activeRoot, from: 'existing' });
    await toDrain(server);
    await rotation.abort({ ...ann, phase: 'drain' });
    await waitFor(async () => (await rotation.status()).rotation?.phase === 'aborted');
    expect(rootsOf(await issueChain(server))).toBe(1);
    expect(await rotation.status()).toMatchObject({
      activeRoot,
      keysLeft: [{ why: 'it was not made here' }],
    });
    // Once more: the same root may come again, and its key is found.
    await rotation.start({ ...ann, oldRoot: activeRoot, from: 'existing' });
    expect((await rotation.status()).rotation?.phase).toBe('distribute');
    expect(server.app.authority.bundle().authorities).toHaveLength(2);
    await server.stop();
  }, 60_000);

  it('is refused where the files bring more than one, have changed since, or fit neither each other nor the wish', async () => {
    await using home = await makeHome();
    const { temporary, serverThatNames } = home;
    const [root, other] = [await newRoot(), await newRoot()];
    const files = { ...root, chain: [], roots: [root.certificate, other.certificate] };
    const { server, activeRoot } = await serverThatNames(files);
    const { rotation } = server.app;
    const order = { ...ann, oldRoot: activeRoot, from: 'existing' } as const;
    await expect(rotation.start(order)).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringContaining('one new root'),
    });
    await cacertsSettings(temporary, { ...files, roots: [root.certificate] });
    await expect(rotation.start({ ...order, algorithm: 'ed25519' })).rejects.toMatchObject({
      code: 'InvalidArgument',
    });
    const { token } = await rotation.plan({ from: 'existing' });
    await cacertsSettings(temporary, { ...other, chain: [], roots: [other.certificate] });
    await expect(rotation.start({ ...order, plan: token })).rejects.toMatchObject({
      code: 'Aborted',
      message: expect.stringContaining('where the new root comes from'),
    });
    await cacertsSettings(temporary, {
      ...other,
      certificate: root.certificate,
      chain: [],
      roots: [root.certificate],
    });
    await expect(rotation.start(order)).rejects.toMatchObject({
      message: expect.stringContaining('does not belong to the authority'),
    });
    expect((await rotation.status()).rotation?.phase).toBe('prepare');
    expect(server.app.authority.bundle().authorities).toHaveLength(1);
    await rotation.abort({ ...ann, phase: 'prepare' });
    expect((await rotation.status()).rotation?.phase).toBe('aborted');
    await server.stop();
  }, 60_000);
});
