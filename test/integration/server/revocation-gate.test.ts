import { once } from 'node:events';
import { credentials } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import {
  AgentServiceClient,
  ConsumerKind,
  ResourceReport_Kind,
  SyncRequest,
  type SyncResponse,
} from '../../../src/gen/citadel/v1/agent.ts';
import { parseCertificate } from '../../../src/pki/index.ts';
import { waitFor } from '../../parts/index.ts';
import { newRequest, startTestServer, type TestServer } from '../../support/server.ts';

const ann = { by: 'operator:ann', proof: 'client-certificate', reason: 'stolen', dryRun: false } as const;

async function svid(server: TestServer) {
  const { csr, privateKeyPem } = await newRequest();
  const { certChain } = await server.create({ csr }, { token: (await server.token()).reveal() });
  const serial = parseCertificate(certChain[0] ?? '').serialHex;
  return { chainPem: certChain.slice(0, -1).join(''), privateKeyPem, serial };
}

/** An agent beside an Envoy that verifies by its bundle; what the Envoy has accepted is for the test to say. */
async function openAgent(server: TestServer) {
  const { chainPem, privateKeyPem } = await svid(server);
  const roots = Buffer.from(server.app.authority.bundle().pem);
  const tls = credentials.createSsl(roots, Buffer.from(privateKeyPem), Buffer.from(chainPem));
  const client = new AgentServiceClient(`127.0.0.1:${server.app.csr.port}`, tls, {
    'grpc.ssl_target_name_override': 'istiod.istio-system.svc',
  });
  const stream = client.sync();
  const ended = once(stream, 'error').catch(() => undefined);
  let given = '';
  stream.on('data', ({ bundles }: SyncResponse) => {
    given = bundles?.bundles[0]?.crlVersion ?? given;
  });
  const resource = { name: 'ROOTCA', kind: ResourceReport_Kind.KIND_BUNDLE };
  return {
    given: () => given,
    report: (crlVersion: string) =>
      stream.write(
        SyncRequest.create({
          report: {
            crlVersion,
            consumers: [
              { consumerId: '1', kind: ConsumerKind.CONSUMER_KIND_ENVOY_SDS, resources: [resource] },
            ],
          },
        }),
      ),
    async [Symbol.asyncDispose]() {
      stream.cancel();
      client.close();
      await ended;
    },
  };
}

/** As the order does it. */
async function taint({ app: { authority, store } }: TestServer) {
  const { id } = authority.issuer().record;
  const record = authority.records().find((each) => each.id === id);
  if (!record) throw new Error('no record');
  await authority.change(() => store.authorities.save({ ...record, tainted: true }));
  await authority.tick();
  return record;
}

describe('an issuing authority, while proxies verify by CRLs', () => {
  it('signs nothing before every proxy has accepted its CRL', async () => {
    await using server = await startTestServer();
    const { authority, revocations, revocationOrders, store } = server.app;
    await using agent = await openAgent(server);
    const { serial } = await svid(server);
    const target = { kind: 'serial', serial } as const;
    await revocationOrders.revoke({ ...ann, target, code: 'keyCompromise' });
    const first = await waitFor(() => agent.given());
    agent.report(first);
    await waitFor(async () => (await store.adoption.list()).some(({ crlVersion }) => crlVersion === first));

    const record = await taint(server);
    const next = authority.records().find(({ kind, state }) => kind === 'issuing' && state === 'prepared');
    expect(revocations.crl(next?.fingerprint ?? '')).toBeDefined();
    const second = await waitFor(() => agent.given() !== first && agent.given());
    for (let tick = 0; tick < 3; tick++) await authority.tick();
    expect(authority.issuer().record.id).toBe(record.id);
    await expect(revocationOrders.revokeAuthority({ ...ann, id: record.id })).rejects.toThrow(
      'no other authority signs yet',
    );

    agent.report(second);
    await waitFor(() => authority.issuer().record.id === next?.id, { what: 'the next authority to sign' });
  });

  it('signs at once where nothing is revoked', async () => {
    await using server = await startTestServer();
    const { authority, store } = server.app;
    await using agent = await openAgent(server);
    agent.report('');
    await waitFor(async () => (await store.adoption.list()).length > 0);
    const record = await taint(server);
    expect(authority.issuer().record.id).not.toBe(record.id);
  });
});
