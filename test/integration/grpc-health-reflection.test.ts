import { credentials, makeGenericClientConstructor, Server, ServerCredentials } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGrpcHealth, createReflection } from '../../src/api/grpc/index.ts';
import { reflect } from '../support/reflection.ts';

const services = ['citadel.v1.OperatorService'];
const health = createGrpcHealth(services);
const server = new Server();
let port = 0;

beforeAll(async () => {
  health.addTo(server);
  const reflection = createReflection(['citadel/v1/operator.proto'], services);
  expect(reflection).toHaveLength(2);
  for (const { definition, implementation } of reflection) server.addService(definition, implementation);
  port = await new Promise((done, fail) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? fail(error) : done(bound),
    );
  });
});
afterAll(() => server.forceShutdown());

function check(service: string): Promise<unknown> {
  const Health = makeGenericClientConstructor(healthService, 'grpc.health.v1.Health');
  const client = new Health(`127.0.0.1:${port}`, credentials.createInsecure());
  return new Promise((done, fail) => {
    const call = client['check'];
    if (typeof call !== 'function') throw new Error('no method check');
    call.call(client, { service }, (error: Error | null, response: { readonly status: unknown }) => {
      client.close();
      if (error) fail(error);
      else done(response.status);
    });
  });
}

describe('gRPC health', () => {
  it('follows what it is told, for the server and each service', async () => {
    expect(await check('')).toBe('NOT_SERVING');
    health.setServing(true);
    expect(await check('')).toBe('SERVING');
    expect(await check('citadel.v1.OperatorService')).toBe('SERVING');
    await expect(check('unknown.Service')).rejects.toMatchObject({ code: 5 });
  });
});

describe('gRPC reflection', () => {
  it('describes the operator API', async () => {
    const target = { port, credentials: credentials.createInsecure() };
    expect(await reflect(target, { listServices: '' })).toMatchObject({
      listServicesResponse: { service: expect.arrayContaining([{ name: 'citadel.v1.OperatorService' }]) },
    });
  });
});
