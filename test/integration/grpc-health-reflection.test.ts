import {
  type ClientReadableStream,
  credentials,
  makeGenericClientConstructor,
  Server,
  ServerCredentials,
} from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGrpcHealth, createReflection } from '../../src/api/grpc/index.ts';
import { waitFor } from '../parts/index.ts';
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

/** Another implementation's client: the contract as others read it. */
function connect() {
  const Health = makeGenericClientConstructor(healthService, 'grpc.health.v1.Health');
  return new Health(`127.0.0.1:${port}`, credentials.createInsecure());
}

function unary(method: 'check' | 'list', request: object): Promise<Record<string, unknown>> {
  const client = connect();
  return new Promise((done, fail) => {
    const call = client[method];
    if (typeof call !== 'function') throw new Error(`no method ${method}`);
    call.call(client, request, (error: Error | null, response: Record<string, unknown>) => {
      client.close();
      if (error) fail(error);
      else done(response);
    });
  });
}

async function check(service: string): Promise<unknown> {
  return (await unary('check', { service }))['status'];
}

function watch(service: string): { readonly seen: readonly unknown[]; readonly close: () => void } {
  const client = connect();
  const seen: unknown[] = [];
  const stream: ClientReadableStream<{ status: unknown }> = client['watch']?.({ service });
  stream.on('data', ({ status }: { status: unknown }) => seen.push(status));
  // Cancelled at the end.
  stream.on('error', () => undefined);
  return {
    seen,
    close() {
      stream.cancel();
      client.close();
    },
  };
}

describe('gRPC health', () => {
  it('follows what it is told, for the server and each service', async () => {
    expect(await check('')).toBe('NOT_SERVING');
    health.setServing(true);
    expect(await check('')).toBe('SERVING');
    expect(await check('citadel.v1.OperatorService')).toBe('SERVING');
    await expect(check('unknown.Service')).rejects.toMatchObject({ code: 5 });
    expect(await unary('list', {})).toEqual({
      statuses: { '': { status: 'SERVING' }, 'citadel.v1.OperatorService': { status: 'SERVING' } },
    });
  });

  it('tells a watcher each change, once, and keeps the watch of an unknown service open', async () => {
    health.setServing(true);
    const known = watch('citadel.v1.OperatorService');
    const unknown = watch('unknown.Service');
    await waitFor(() => known.seen.length === 1 && unknown.seen.length === 1);
    health.setServing(true);
    health.setServing(false);
    health.setServing(true);
    await waitFor(() => known.seen.length === 3);
    expect(known.seen).toEqual(['SERVING', 'NOT_SERVING', 'SERVING']);
    expect(unknown.seen).toEqual(['SERVICE_UNKNOWN']);
    for (const { close } of [known, unknown]) close();
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
