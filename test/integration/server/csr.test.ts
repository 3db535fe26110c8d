import { X509Certificate } from 'node:crypto';
import { BundleSet, TrustBundle, TrustDomain, verifyX509Svid } from '@citadel/spiffe';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KeyAlgorithm, parseCertificate, parsePemCertificates } from '../../../src/pki/index.ts';
import { newRequest, startTestServer, type TestServer, trustDomain } from '../../support/server.ts';

let server: TestServer;
let token: string;

beforeAll(async () => {
  server = await startTestServer();
  token = (await server.token()).reveal();
});
afterAll(() => server.stop());

const webId = 'spiffe://example.org/ns/shop/sa/web';

describe('CreateCertificate', () => {
  it.each<KeyAlgorithm>(['ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'ed25519'])(
    'issues for an %s key',
    async (algorithm) => {
      const { csr, spki } = await newRequest(algorithm);
      const { certChain } = await server.create({ csr }, { token });
      const [leaf = '', issuing = ''] = certChain;
      const roots = certChain.at(-1) ?? '';
      expect(certChain).toHaveLength(3);
      const parsed = parseCertificate(leaf);
      expect(parsed.uris).toEqual([webId]);
      expect(Buffer.from(parsed.publicKey.spki).equals(spki)).toBe(true);
      expect(parsed.isCa).toBe(false);
      const bundles = BundleSet.of(
        TrustBundle.of(TrustDomain.parse(trustDomain), parsePemCertificates(roots)),
      );
      const chain = [...parsePemCertificates(leaf), ...parsePemCertificates(issuing)];
      expect(verifyX509Svid(chain, bundles, { now: new Date() }).id.toString()).toBe(webId);
      expect(new X509Certificate(leaf).checkIssued(new X509Certificate(issuing))).toBe(true);
    },
  );

  it('records intent, result and audit, with the version of the bundle in the reply', async () => {
    const { csr } = await newRequest();
    const { certChain } = await server.create({ csr, validityDuration: 3600n }, { token });
    const { serialHex, notAfter, notBefore } = parseCertificate(certChain[0] ?? '');
    const record = await server.app.store.issuance.get(serialHex);
    expect(record).toMatchObject({
      state: 'issued',
      spiffeId: webId,
      principal: 'development:shop/web/web-1',
      bundleVersion: server.app.authority.bundle().version,
      notAfter,
      notBefore,
    });
    const life = notAfter.getTime() - Date.now();
    expect(life).toBeGreaterThan(3_500_000);
    expect(life).toBeLessThanOrEqual(3_600_000);
    const { items } = await server.app.store.audit.find({ action: 'certificate.issue', limit: 100 });
    expect(items.find(({ details }) => details['serial'] === serialHex)).toMatchObject({
      outcome: 'allowed',
      subject: 'development:shop/web/web-1',
      proof: 'development-token',
      target: webId,
    });
  });

  it('takes the public key alone from a request that asks for more', async () => {
    const { csr } = await newRequest('ecdsa-p256', {
      subject: 'admin',
      uris: ['spiffe://example.org/ns/kube-system/sa/admin'],
      dns: ['evil.example.org'],
    });
    const { certChain } = await server.create({ csr }, { token });
    const leaf = parseCertificate(certChain[0] ?? '');
    expect(leaf.uris).toEqual([webId]);
    expect(leaf.dns).toEqual([]);
    expect(leaf.subject).toBe('');
    expect(leaf.isCa).toBe(false);
  });
});

describe('a refusal', () => {
  const audited = async (count: number) => {
    const { items } = await server.app.store.audit.find({ limit: count });
    return items;
  };

  it.each([
    ['no CSR', { csr: '' }, status.INVALID_ARGUMENT],
    ['not PEM', { csr: 'hello' }, status.INVALID_ARGUMENT],
    [
      'PEM of something else',
      { csr: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' },
      status.INVALID_ARGUMENT,
    ],
    ['a negative TTL', { validityDuration: -1n }, status.INVALID_ARGUMENT],
    ['a TTL above the maximum', { validityDuration: 86_401n }, status.INVALID_ARGUMENT],
    ['a TTL of all bits', { validityDuration: 2n ** 63n - 1n }, status.INVALID_ARGUMENT],
    [
      'another identity',
      { metadata: { ImpersonatedIdentity: 'spiffe://example.org/ns/shop/sa/db' } },
      status.PERMISSION_DENIED,
    ],
    [
      'another trust domain',
      { metadata: { ImpersonatedIdentity: 'spiffe://other.org/ns/shop/sa/web' } },
      status.PERMISSION_DENIED,
    ],
    ['an identity that is none', { metadata: { ImpersonatedIdentity: 'shop/db' } }, status.INVALID_ARGUMENT],
    ['an identity of another type', { metadata: { ImpersonatedIdentity: 7 } }, status.INVALID_ARGUMENT],
  ])('for %s', async (_name, request, code) => {
    const { csr } = await newRequest();
    await expect(server.create({ csr, ...request }, { token })).rejects.toMatchObject({ code });
    expect((await audited(1))[0]).toMatchObject({ action: 'certificate.issue', outcome: 'refused' });
  });

  it('names the maximum TTL', async () => {
    const { csr } = await newRequest();
    await expect(server.create({ csr, validityDuration: 90_000n }, { token })).rejects.toThrow(
      /maximum of 1d \(86400 seconds\)/,
    );
  });

  it('of a message that is too large', async () => {
    await expect(server.create({ csr: 'x'.repeat(100_000) }, { token })).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
    });
  });

  it.each([
    ['no token', {}, status.UNAUTHENTICATED],
    ['junk', { token: 'junk' }, status.UNAUTHENTICATED],
    ['a token twice', { metadata: { authorization: 'Basic eA==' } }, status.UNAUTHENTICATED],
  ])('for %s as proof', async (_name, call, code) => {
    const { csr } = await newRequest();
    await expect(server.create({ csr }, call)).rejects.toMatchObject({ code });
    expect((await audited(1))[0]).toMatchObject({
      outcome: 'refused',
      subject: 'unauthenticated',
      proof: 'none',
    });
  });

  it('for an expired token and one of another audience, without a word of the token', async () => {
    const { csr } = await newRequest();
    const expired = (await server.token(-60_000)).reveal();
    await expect(server.create({ csr }, { token: expired })).rejects.toMatchObject({
      code: status.UNAUTHENTICATED,
      details: 'the token has expired',
    });
    const workload = { namespace: 'shop', serviceAccount: 'web', instance: 'web-1' };
    const foreign = (await server.tokens.issue(workload, 'vault', 60_000)).reveal();
    await expect(server.create({ csr }, { token: foreign })).rejects.toMatchObject({
      code: status.UNAUTHENTICATED,
    });
    expect(JSON.stringify(await audited(10))).not.toContain(foreign.split('.')[2]);
  });

  it('for a tampered token', async () => {
    const { csr } = await newRequest();
    const [header, , signature] = token.split('.');
    const payload = Buffer.from(
      JSON.stringify({ namespace: 'kube-system', serviceAccount: 'admin', instance: 'x' }),
    );
    const forged = [header, payload.toString('base64url'), signature].join('.');
    await expect(server.create({ csr }, { token: forged })).rejects.toMatchObject({
      code: status.UNAUTHENTICATED,
    });
  });
});
