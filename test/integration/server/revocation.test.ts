import { once } from 'node:events';
import { join } from 'node:path';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentServiceClient, type SyncResponse } from '../../../src/gen/citadel/v1/agent.ts';
import { parseCertificate, readCrl, toPem } from '../../../src/pki/index.ts';
import { waitFor } from '../../parts/index.ts';
import { runCitadel } from '../../support/citadel.ts';
import { issueTo } from '../../support/issue-to.ts';
import { newRequest, startTestServer, type TestServer } from '../../support/server.ts';
import { openssl } from '../../unit/pki/openssl.ts';

interface Svid {
  readonly chainPem: string;
  readonly privateKeyPem: string;
  readonly serial: string;
}

async function svid(server: TestServer, instance: string): Promise<Svid> {
  const { csr, privateKeyPem } = await newRequest();
  const workload = { namespace: 'shop', serviceAccount: instance, instance };
  const token = (await server.tokens.issue(workload, 'istio-ca', 600_000)).reveal();
  const { certChain } = await server.create({ csr }, { token });
  const { serialHex } = parseCertificate(certChain[0] ?? '');
  return { chainPem: certChain.slice(0, -1).join(''), privateKeyPem, serial: serialHex };
}

function sync(server: TestServer, identity: Svid) {
  const client = new AgentServiceClient(
    `127.0.0.1:${server.app.csr.port}`,
    credentials.createSsl(
      Buffer.from(server.app.authority.bundle().pem),
      Buffer.from(identity.privateKeyPem),
      Buffer.from(identity.chainPem),
    ),
    { 'grpc.ssl_target_name_override': 'istiod.istio-system.svc' },
  );
  const stream = client.sync();
  const heard: SyncResponse[] = [];
  stream.on('data', (message: SyncResponse) => heard.push(message));
  const ended = once(stream, 'error').then(([error]: readonly ServiceError[]) => {
    client.close();
    if (!error) throw new Error('no error');
    return error;
  });
  return { heard, ended, cancel: () => stream.cancel() };
}

async function citadel({ directory }: TestServer, ...args: readonly string[]) {
  return runCitadel([...args, '--socket', join(directory, 'operator.sock')], { directory, home: 'nobody' });
}

const why = ['--yes', '--reason', 'the laptop was stolen'];

describe('a revoked certificate', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.stop());

  it('opens nothing any more: its stream is ended, and it neither syncs nor renews itself', async () => {
    const own = await startTestServer((directory) => ({
      attestation: {
        development: { key: { issuerKeyFile: join(directory, 'development-issuer.pem') } },
        svidRenewal: true,
      },
    }));
    await using _stopped = own;
    const [bad, good] = [await svid(own, 'bad'), await svid(own, 'good')];
    const renew = async (clientCertificate: Svid) =>
      own.create({ csr: (await newRequest()).csr }, { clientCertificate });
    expect((await renew(bad)).certChain).toHaveLength(3);
    const [streams, others] = [sync(own, bad), sync(own, good)];
    await waitFor(() => streams.heard.length > 0 && others.heard.length > 0);

    expect(await citadel(own, 'certificate', 'revoke', bad.serial, ...why)).toMatchObject({ code: 0 });
    const ended = await streams.ended;
    expect(ended).toMatchObject({
      code: status.UNAUTHENTICATED,
      details: expect.stringContaining('revoked'),
    });
    expect(streams.heard.flatMap(({ reKey }) => reKey?.reason ?? [])).toStrictEqual([
      'the certificate is revoked',
    ]);
    expect((await sync(own, bad).ended).code).toBe(status.UNAUTHENTICATED);
    await expect(renew(bad)).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
    // Who proves anew who he is gets the next one, whatever he shows beside.
    const token = (
      await own.tokens.issue(
        { namespace: 'shop', serviceAccount: 'bad', instance: 'bad' },
        'istio-ca',
        60_000,
      )
    ).reveal();
    const { csr } = await newRequest();
    expect((await own.create({ csr }, { token, clientCertificate: bad })).certChain).toHaveLength(3);
    await renew(good);
    others.cancel();
    expect((await others.ended).code).toBe(status.CANCELLED);
  });

  it('is on the CRL that HTTP serves, which OpenSSL takes, and no other is', async () => {
    const [bad, good] = [await svid(server, 'bad-1'), await svid(server, 'good-1')];
    const before = server.app.authority.issuer().record;
    const base = `http://127.0.0.1:${server.app.monitoring.address.port}`;
    const url = `${base}/crl/${before.id}.crl`;
    const first = await fetch(url);
    expect(first.headers.get('content-type')).toBe('application/pkix-crl');
    const etag = first.headers.get('etag') ?? '';
    expect((await fetch(url, { headers: { 'if-none-match': etag } })).status).toBe(304);
    expect(await citadel(server, 'certificate', 'revoke', bad.serial, ...why)).toMatchObject({ code: 0 });
    const second = await fetch(url, { headers: { 'if-none-match': etag } });
    expect(second.status).toBe(200);
    const der = new Uint8Array(await second.arrayBuffer());
    expect(second.headers.get('content-length')).toBe(String(der.length));
    expect(await (await fetch(`${base}/crl`)).text()).toContain(`/crl/${before.id}.crl number`);
    expect((await fetch(`${base}/crl/none.crl`)).status).toBe(404);
    expect((await fetch(`${base}/crl/..%2f..%2fetc%2fpasswd`)).status).toBe(404);

    const { number, nextUpdate } = readCrl(der);
    expect(number).toBeGreaterThan(readCrl(new Uint8Array(await first.arrayBuffer())).number);
    expect(nextUpdate.getTime()).toBeGreaterThan(before.notAfter.getTime());
    const verify = (leaf: Svid) =>
      openssl(
        {
          'roots.pem': server.app.authority.bundle().pem,
          'crl.pem': toPem(der, 'X509 CRL'),
          'chain.pem': leaf.chainPem,
        },
        'verify',
        '-crl_check',
        '-CAfile',
        '@roots.pem',
        '-untrusted',
        '@chain.pem',
        '-CRLfile',
        '@crl.pem',
        '@chain.pem',
      );
    expect(verify(good)).toContain('OK');
    expect(() => verify(bad)).toThrow('certificate revoked');
  });

  it('may be all those of an identity, and is recorded once', async () => {
    const id = 'spiffe://example.org/ns/shop/sa/many';
    for (let count = 0; count < 3; count++) await svid(server, 'many');
    const shown = await citadel(server, 'certificate', 'revoke', id, '--reason', 'who knows');
    expect(shown).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Revokes 3 certificates of 1 identity'),
    });
    expect(
      server.app.revocations.status().certificates.filter(({ spiffeId }) => spiffeId === id),
    ).toHaveLength(0);
    const done = await citadel(server, 'certificate', 'revoke', id, '--code', 'keyCompromise', ...why);
    expect(done).toMatchObject({ code: 0, stdout: '3 certificates revoked.\n' });
    const again = await citadel(server, 'certificate', 'revoke', id, ...why);
    expect(again).toMatchObject({ code: 0, stderr: expect.stringContaining('3 were revoked before') });
    await svid(server, 'many');
    const events = (await server.app.store.audit.find({ action: 'certificate.revoke', limit: 99 })).items;
    expect(events.filter(({ target }) => target === id)).toMatchObject([
      { reason: 'the laptop was stolen', details: { certificates: '3', code: 'keyCompromise' } },
    ]);
    expect(await server.app.store.revocations.certificates()).toContainEqual(
      expect.objectContaining({
        spiffeId: id,
        code: 'keyCompromise',
        revokedBy: expect.stringContaining('local:'),
      }),
    );
    const listed = await citadel(server, 'certificate', 'revocations');
    expect(listed.stdout).toContain('enforced');
    expect(listed.stdout).toContain('it does not report');
  });

  it('is no proof of an operator any more', async () => {
    const home = 'ann';
    const { directory } = server;
    const address = ['--server', `localhost:${server.app.operator.port}`];
    const whoami = () => runCitadel(['operator', 'whoami', ...address], { directory, home });
    const enrol = ['operator', 'enrol', '--name', 'ann', '--role', 'viewer', '--yes'];
    const socket = ['--socket', join(directory, 'operator.sock')];
    expect(await runCitadel([...enrol, ...socket], { directory, home })).toMatchObject({ code: 0 });
    expect(await whoami()).toMatchObject({ code: 0, stdout: expect.stringContaining('operator:ann') });
    const id = 'spiffe://example.org/citadel/operator/ann';
    expect(await citadel(server, 'certificate', 'revoke', id, ...why)).toMatchObject({ code: 0 });
    const refused = await whoami();
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).not.toContain('operator:ann');
  });

  it.each([
    [['0'.repeat(32)], 'no certificate of this serial'],
    [[], 'name one: a serial, a SPIFFE ID, or --issuer'],
    [['aa', '--issuer', 'bb'], 'name one: a serial, a SPIFFE ID, or --issuer'],
    [['not-hexadecimal'], 'lower-case hexadecimal'],
    [['spiffe://x/../y'], 'must be a SPIFFE ID'],
    [['--issuer', 'none'], 'no authority of this id'],
  ])('is one that exists: %j', async (what, message) => {
    const outcome = await citadel(server, 'certificate', 'revoke', ...what, ...why);
    expect(outcome.code).not.toBe(0);
    expect(outcome.stderr).toContain(message);
  });

  it('is not the server’s own, and needs a reason', async () => {
    const { serial } = await issueTo(server, 'server:0123', '/citadel/server/0123').then(({ chainPem }) => ({
      serial: parseCertificate(chainPem.split(/(?=-----BEGIN)/)[0] ?? '').serialHex,
    }));
    expect((await citadel(server, 'certificate', 'revoke', serial, ...why)).stderr).toContain('taint');
    const { serial: other } = await svid(server, 'other');
    const silent = await citadel(server, 'certificate', 'revoke', other, '--yes', '--reason', ' ');
    expect(silent.stderr).toContain('say why');
  });
});

describe('an authority', () => {
  it('is revoked only when it is tainted, and then nothing under it counts', async () => {
    await using server = await startTestServer();
    const { authority, store } = server.app;
    const { id, fingerprint } = authority.issuer().record;
    const old = await svid(server, 'old');
    const stream = sync(server, old);
    await waitFor(() => stream.heard.length > 0);
    expect((await citadel(server, 'authority', 'revoke', id, ...why)).stderr).toContain('is not tainted');
    await citadel(server, 'authority', 'taint', id, '--yes', '--reason', 'copied');
    const shown = await citadel(server, 'authority', 'revoke', id, '--reason', 'copied');
    expect(shown).toMatchObject({ code: 1, stderr: expect.stringContaining('Revokes 1 certificate of') });
    expect(authority.records().find((record) => record.id === id)?.state).toBe('old');
    expect(await citadel(server, 'authority', 'revoke', id, ...why)).toMatchObject({ code: 0 });
    expect(await stream.ended).toMatchObject({ code: status.UNAUTHENTICATED });
    expect((await sync(server, old).ended).code).toBe(status.UNAUTHENTICATED);
    expect(authority.records().find((record) => record.id === id)).toMatchObject({ state: 'retired' });

    // Its CRL is not among those that verifiers are given: they refuse all that it signed.
    const enforced = () => {
      const { enforcement } = server.app.revocations.status();
      if (enforcement.kind !== 'enforced') throw new Error(enforcement.kind);
      return enforcement;
    };
    const enforcement = enforced();
    expect(enforcement.issuers).not.toContain(fingerprint);
    expect(enforcement.issuers).toContain(authority.issuer().record.fingerprint);
    expect(await citadel(server, 'authority', 'revoke', id, ...why)).toMatchObject({ code: 0 });
    const events = (await store.audit.find({ action: 'authority.revoke', limit: 9 })).items;
    expect(events).toMatchObject([{ target: id, reason: 'the laptop was stolen' }]);

    const stranger = sync(server, await svid(server, 'new'));
    // That of the root, which names the revoked one, may be signed meanwhile.
    await waitFor(
      () =>
        stranger.heard.findLast(({ bundles }) => bundles)?.bundles?.bundles[0]?.crlVersion ===
        enforced().set.version,
    );
    stranger.cancel();
    await stranger.ended;
  });

  it('is on the CRL of its root', async () => {
    await using server = await startTestServer();
    const { id, certificate, rootFingerprint } = server.app.authority.issuer().record;
    await citadel(server, 'authority', 'taint', id, '--yes', '--reason', 'copied');
    await citadel(server, 'authority', 'revoke', id, ...why);
    const { serialHex } = parseCertificate(certificate);
    await waitFor(() => server.app.revocations.crl(rootFingerprint)?.serials.has(serialHex), {
      what: 'the CRL of the root',
    });
  });

  it('is not the active root', async () => {
    await using server = await startTestServer();
    const root = server.app.authority.records().find(({ kind }) => kind === 'root')?.id ?? '';
    expect((await citadel(server, 'authority', 'revoke', root, ...why)).stderr).toContain('is not tainted');
    expect((await citadel(server, 'authority', 'taint', root, ...why)).stderr).toContain(
      'citadel rotate start',
    );
  });
});
