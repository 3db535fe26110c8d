import { credentials, makeGenericClientConstructor, type ServiceError } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMetrics } from '../../../src/adapters/metrics/index.ts';
import { systemClock } from '../../../src/kernel/index.ts';
import { waitFor } from '../../parts/index.ts';
import { readyz, sample } from '../../support/observe.ts';
import { newRequest, startTestServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({}, { metrics: createMetrics(systemClock, { process: false }) });
});
afterAll(() => server.stop());

const value = (name: string) => sample(server, name);

interface HealthClient {
  check(
    request: { readonly service: string },
    done: (error: ServiceError | null, reply?: { readonly status: string }) => void,
  ): unknown;
  close(): void;
}

const Health = makeGenericClientConstructor(healthService, 'grpc.health.v1.Health');

function isHealthClient(client: object): client is HealthClient {
  return 'check' in client && 'close' in client;
}

function check(port: number, service: string, from = server): Promise<string | undefined> {
  const roots = Buffer.from(from.app.authority.bundle().pem);
  const client = new Health(`127.0.0.1:${port}`, credentials.createSsl(roots), {
    'grpc.ssl_target_name_override': 'localhost',
  });
  if (!isHealthClient(client)) throw new Error('no health client');
  return new Promise<string | undefined>((resolve, reject) => {
    client.check({ service }, (error, reply) => (error ? reject(error) : resolve(reply?.status)));
  }).finally(() => client.close());
}

describe('a running server', () => {
  it('counts what it issued and what it refused, under our names and istiod’s', async () => {
    const token = (await server.token()).reveal();
    for (let round = 0; round < 3; round++) await server.create({ csr: (await newRequest()).csr }, { token });
    const { csr } = await newRequest();
    await expect(server.create({ csr }, { token: 'none' })).rejects.toThrow();
    await expect(server.create({ csr }, {})).rejects.toThrow();
    await expect(server.create({ csr: 'no request' }, { token })).rejects.toThrow();

    const issued = 'citadel_issuances_total{outcome="issued",failure="",code="OK"}';
    expect(await value(issued)).toBe(3);
    expect(await value('citadel_server_success_cert_issuance_count')).toBe(3);
    expect(await value('citadel_server_csr_count')).toBe(6);
    expect(await value('citadel_server_authentication_failure_count')).toBe(2);
    expect(await value('citadel_server_csr_parsing_err_count')).toBe(1);
    expect(await value('citadel_issuance_stage_seconds_count{stage="sign"}')).toBe(3);
  });

  it('tells when its authorities end, and that the home of the root key answers', async () => {
    const day = 86_400;
    const issuing = await value('citadel_authority_expiry_seconds{kind="issuing"}');
    expect(issuing).toBeGreaterThan(6 * day);
    expect(issuing).toBeLessThanOrEqual(7 * day);
    expect(await value('citadel_server_cert_chain_expiry_seconds')).toBeGreaterThan(6 * day);
    expect(await value('citadel_server_root_cert_expiry_seconds')).toBeGreaterThan(1824 * day);
    await waitFor(async () => (await value('citadel_key_home_up{backend="memory"}')) === 1);
  });

  it('names each probe of /readyz', async () => {
    const { status, text } = await readyz(server);
    expect(status).toBe(200);
    for (const probe of ['store', 'issuing-authority', 'root-key', 'serving-certificate'])
      expect(text).toContain(probe);
  });

  it.each(['', 'istio.v1.auth.IstioCertificateService', 'citadel.v1.AgentService'])(
    'tells gRPC health of "%s" on the CSR port',
    async (service) => {
      await waitFor(async () => (await check(server.app.csr.port, service)) === 'SERVING');
    },
  );

  it('tells gRPC health on the operator port, and knows no service that is not there', async () => {
    const { port } = server.app.operator;
    await waitFor(async () => (await check(port, 'citadel.v1.OperatorService')) === 'SERVING');
    await expect(check(port, 'istio.v1.auth.IstioCertificateService')).rejects.toMatchObject({ code: 5 });
  });

  it('that cannot write is not ready, not serving, and issues nothing', async () => {
    await using broken = await startTestServer();
    const token = (await broken.token()).reveal();
    await broken.app.store.close();
    const { csr } = await newRequest();
    await expect(broken.create({ csr }, { token })).rejects.toMatchObject({ code: 14 });
    const { status, text } = await readyz(broken);
    expect(status).toBe(503);
    expect(text).toMatch(/store.*(?:failed|not ok|closed)/i);
    await waitFor(async () => (await check(broken.app.csr.port, '', broken)) === 'NOT_SERVING', {
      deadline: 20_000,
      what: 'health to follow the store',
    });
  });
});
