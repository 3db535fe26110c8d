import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCertificate } from '../../../src/pki/index.ts';
import { issueTo } from '../../support/issue-to.ts';
import { caught } from '../../support/observe.ts';
import {
  developmentAttestation,
  newRequest,
  startTestServer,
  type TestServer,
} from '../../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer((directory) => ({
    attestation: { ...developmentAttestation(directory), svidRenewal: true },
  }));
});
afterAll(() => server.stop());

describe('renewal by a certificate', () => {
  it('gives the same identity over a new key, again and again', async () => {
    const token = (await server.token()).reveal();
    const first = await newRequest();
    let { certChain } = await server.create({ csr: first.csr }, { token });
    let { privateKeyPem } = first;
    const serials = new Set<string>();
    for (let round = 0; round < 3; round++) {
      const clientCertificate = { chainPem: certChain.slice(0, -1).join(''), privateKeyPem };
      const next = await newRequest();
      ({ certChain } = await server.create({ csr: next.csr }, { clientCertificate }));
      const leaf = parseCertificate(certChain[0] ?? '');
      expect(leaf.uris).toEqual(['spiffe://example.org/ns/shop/sa/web']);
      expect(Buffer.from(leaf.publicKey.spki).equals(next.spki)).toBe(true);
      serials.add(leaf.serialHex);
      ({ privateKeyPem } = next);
    }
    expect(serials.size).toBe(3);
  });

  it.each([
    ['an operator', 'operator:alice', '/citadel/operator/alice'],
    ['a server', 'server:0123456789abcdef', '/citadel/server/0123456789abcdef'],
    ['a pod, which has a token', 'kubernetes:Kubernetes/shop/web/web-1', '/ns/shop/sa/web'],
  ])('is refused to %s', async (_who, principal, path) => {
    const clientCertificate = await issueTo(server, principal, path);
    const { csr } = await newRequest();
    const error = await caught(server.create({ csr }, { clientCertificate }));
    expect(error?.code).toBe(status.UNAUTHENTICATED);
    expect(error?.details).toContain('cannot renew itself');
  });

  it('is refused to a certificate of another server of the same trust domain', async () => {
    await using other = await startTestServer();
    const token = (await other.token()).reveal();
    const { csr, privateKeyPem } = await newRequest();
    const { certChain } = await other.create({ csr }, { token });
    const clientCertificate = { chainPem: certChain.slice(0, -1).join(''), privateKeyPem };
    const error = await caught(server.create({ csr }, { clientCertificate }));
    expect(error?.code).toBe(status.UNAUTHENTICATED);
  });
});
