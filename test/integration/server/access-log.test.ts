import { type ClientWritableStream, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMetrics } from '../../../src/adapters/metrics/index.ts';
import { OperatorServiceClient, type PlaintextCaller } from '../../../src/gen/citadel/v1/operator.ts';
import {
  AccessLogServiceClient,
  StreamAccessLogsMessage,
} from '../../../src/gen/envoy/service/accesslog/v3/als.ts';
import { systemClock } from '../../../src/kernel/index.ts';
import { waitFor } from '../../parts/index.ts';
import { startTestMesh, type TestMesh } from '../../support/mesh.ts';
import { sample } from '../../support/observe.ts';
import { newRequest } from '../../support/server.ts';

const registry = `
apiVersion: citadel.dev/v1
kind: Workload
metadata: {namespace: shop, name: orders-1}
spec:
  serviceAccount: orders
  addresses: [127.0.0.1]
  ports: [{port: 8080, application: "127.0.0.1:9080"}]
---
apiVersion: citadel.dev/v1
kind: Workload
metadata: {namespace: shop, name: web-1}
spec:
  serviceAccount: web
  addresses: [127.0.0.2]
  ports: [{port: 8080, application: "127.0.0.1:9081"}]
`;

let mesh: TestMesh;
beforeAll(async () => {
  const metrics = createMetrics(systemClock, { process: false });
  mesh = await startTestMesh({ registry: { 'shop.yaml': registry }, metrics });
});
afterAll(() => mesh[Symbol.asyncDispose]());

interface Identity {
  readonly chainPem: string;
  readonly privateKeyPem: string;
}

async function svid(serviceAccount: string, seconds = 600n): Promise<Identity> {
  const { csr, privateKeyPem } = await newRequest();
  const workload = { namespace: 'shop', serviceAccount, instance: `${serviceAccount}-1` };
  const token = (await mesh.server.tokens.issue(workload, 'istio-ca', 600_000)).reveal();
  const { certChain } = await mesh.server.create({ csr, validityDuration: seconds }, { token });
  return { chainPem: certChain.slice(0, -1).join(''), privateKeyPem };
}

interface Opened extends Disposable {
  readonly stream: ClientWritableStream<StreamAccessLogsMessage>;
  readonly ended: Promise<ServiceError | null>;
}

function open(identity: Identity | undefined): Opened {
  const { app } = mesh.server;
  const roots = Buffer.from(app.authority.bundle().pem);
  const tls = identity
    ? credentials.createSsl(roots, Buffer.from(identity.privateKeyPem), Buffer.from(identity.chainPem))
    : credentials.createSsl(roots);
  const client = new AccessLogServiceClient(`127.0.0.1:${app.csr.port}`, tls, {
    'grpc.ssl_target_name_override': 'istiod.istio-system.svc',
    'grpc.use_local_subchannel_pool': 1,
  });
  let settle: (error: ServiceError | null) => void = () => undefined;
  const ended = new Promise<ServiceError | null>((resolve) => {
    settle = resolve;
  });
  const stream = client.streamAccessLogs((error) => settle(error));
  stream.on('error', () => undefined);
  return {
    stream,
    ended,
    [Symbol.dispose]: () => {
      stream.cancel();
      client.close();
    },
  };
}

const address = (host: string, port: number) => ({
  address: {
    $case: 'socketAddress' as const,
    value: { address: host, portSpecifier: { $case: 'portValue' as const, value: port } },
  },
});

function entries(
  count: number,
  logName = 'citadel/inbound',
  node: object = {},
  port = 8080,
): StreamAccessLogsMessage {
  const logEntry = Array.from({ length: count }, () => ({
    commonProperties: {
      downstreamDirectRemoteAddress: address('10.9.9.9', 40_000),
      downstreamLocalAddress: address('127.0.0.1', port),
      customTags: { chain: 'plaintext' },
    },
  }));
  return StreamAccessLogsMessage.fromPartial({
    identifier: { logName, node },
    logEntries: { $case: 'tcpLogs', value: { logEntry } },
  });
}

const callsTo = async (workload: string) =>
  (await callersOf(workload)).reduce((sum, { calls }) => sum + Number(calls), 0);

/** Who is known to call a workload by plaintext. */
async function callersOf(workload: string): Promise<readonly PlaintextCaller[]> {
  const socket = `unix:${mesh.server.directory}/operator.sock`;
  const client = new OperatorServiceClient(socket, credentials.createInsecure());
  try {
    return await new Promise((resolve, reject) =>
      client.getMutualTlsStatus({ namespace: '', workload, windowSeconds: 0n }, (error, response) =>
        error ? reject(error) : resolve(response.workloads[0]?.callers ?? []),
      ),
    );
  } finally {
    client.close();
  }
}

describe('the access log service', () => {
  it('keeps what a proxy tells of its own workload', async () => {
    using opened = open(await svid('orders'));
    opened.stream.write(entries(2));
    opened.stream.write(entries(1));
    await waitFor(async () => (await callsTo('orders-1')) === 3, { what: 'three calls' });
  });

  it.each([
    { what: 'metadata', node: { id: 'orders-1', metadata: { WORKLOAD_NAME: 'orders-1' } } },
    { what: 'a node id', node: { id: 'orders-1', cluster: 'shop' } },
  ])('takes nothing for another workload by $what', async ({ node }) => {
    const before = await callsTo('orders-1');
    using opened = open(await svid('web'));
    opened.stream.write(entries(5, 'citadel/inbound', node));
    await Promise.race([opened.ended, waitFor(async () => (await callsTo('web-1')) > 0)]);
    expect(await callsTo('orders-1')).toBe(before);
    if ('metadata' in node) expect((await opened.ended)?.code).toBe(status.PERMISSION_DENIED);
  });

  it('refuses entries that are broken, counts them, and keeps the others of the message', async () => {
    using opened = open(await svid('orders'));
    const before = await callsTo('orders-1');
    const counted = (await sample(mesh.server, 'citadel_access_log_refused_total')) ?? 0;
    const message = entries(1);
    for (const port of [0, 65_536, 4_000_000_000]) {
      const { logEntries } = entries(1, undefined, {}, port);
      if (message.logEntries?.$case === 'tcpLogs' && logEntries?.$case === 'tcpLogs')
        message.logEntries.value.logEntry.push(...logEntries.value.logEntry);
    }
    opened.stream.write(message);
    opened.stream.write(entries(1));
    await waitFor(async () => (await callsTo('orders-1')) === before + 2, { what: 'two calls' });
    expect(await sample(mesh.server, 'citadel_access_log_refused_total')).toBe(counted + 3);
  });

  it('keeps one record of all ports that a proxy makes up, and another’s as it was', async () => {
    const before = await callersOf('orders-1');
    using opened = open(await svid('web'));
    for (let port = 1; port <= 9_000; port++) opened.stream.write(entries(1, undefined, {}, port));
    await waitFor(async () => (await callsTo('web-1')) >= 9_000, { what: 'all calls' });
    const callers = await callersOf('web-1');
    expect(callers.map(({ port }) => port).toSorted((a, b) => a - b)).toEqual([0, 8080]);
    const kept = await waitFor(async () =>
      (await mesh.server.app.store.evidence.list()).find(
        ({ workload, ports }) => workload === 'files/shop/web-1' && ports.has(0),
      ),
    );
    expect([...kept.ports.keys()]).toHaveLength(2);
    expect(await callersOf('orders-1')).toEqual(before);
  });

  it('needs an SVID', async () => {
    using opened = open(undefined);
    opened.stream.write(entries(1));
    expect((await opened.ended)?.code).toBe(status.UNAUTHENTICATED);
  });

  it.each([
    { what: 'another log', message: () => entries(1, 'mine'), code: status.INVALID_ARGUMENT },
    {
      what: 'the logger of requests, which brings queries and headers along',
      message: () => {
        const { identifier } = entries(0);
        return StreamAccessLogsMessage.fromPartial({
          identifier: identifier ?? {},
          logEntries: { $case: 'httpLogs', value: { logEntry: [{}] } },
        });
      },
      code: status.INVALID_ARGUMENT,
    },
    { what: 'too many entries at once', message: () => entries(1_025), code: status.RESOURCE_EXHAUSTED },
    {
      what: 'a node without end',
      message: () => entries(1, 'citadel/inbound', { metadata: { a: 'x'.repeat(40_000) } }),
      code: status.RESOURCE_EXHAUSTED,
    },
  ])('refuses $what', async ({ message, code }) => {
    using opened = open(await svid('orders'));
    opened.stream.write(message());
    expect((await opened.ended)?.code).toBe(code);
  });

  it('ends a proxy that sends without measure, and others are heard as ever', async () => {
    using flood = open(await svid('web'));
    for (let message = 0; message < 40; message++) flood.stream.write(entries(500));
    expect((await flood.ended)?.code).toBe(status.RESOURCE_EXHAUSTED);
    const before = await callsTo('orders-1');
    using other = open(await svid('orders'));
    other.stream.write(entries(1));
    await waitFor(async () => (await callsTo('orders-1')) === before + 1, { what: 'the other’s call' });
  });

  it('ends a stream with the SVID that opened it', async () => {
    using opened = open(await svid('orders', 11n));
    opened.stream.write(entries(1));
    expect((await opened.ended)?.code).toBe(status.UNAUTHENTICATED);
  });
});
