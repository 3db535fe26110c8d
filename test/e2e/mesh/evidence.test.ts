import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { credentials } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { type MutualTlsStatus, OperatorServiceClient } from '../../../src/gen/citadel/v1/operator.ts';
import { exchange, freePort, hasPart, waitFor } from '../../parts/index.ts';
import { startTestMesh, type TestMesh } from '../../support/mesh.ts';
import { startRelay } from '../../support/relay.ts';

interface Ports {
  readonly http: number;
  readonly tcp: number;
  readonly httpApplication: number;
  readonly tcpApplication: number;
  readonly httpEgress: number;
  readonly tcpEgress: number;
}

const registry = (ports: Ports) => `
apiVersion: citadel.dev/v1
kind: Workload
metadata: {namespace: shop, name: orders-1, labels: {app: orders}}
spec:
  serviceAccount: orders
  addresses: [127.0.0.1]
  ports:
    - {port: ${ports.http}, application: "127.0.0.1:${ports.httpApplication}"}
    - {port: ${ports.tcp}, protocol: tcp, application: "127.0.0.1:${ports.tcpApplication}"}
---
apiVersion: citadel.dev/v1
kind: Workload
metadata: {namespace: shop, name: web-1}
spec:
  serviceAccount: web
  addresses: [127.0.0.1]
  egress:
    - {listen: "127.0.0.1:${ports.httpEgress}", service: shop/orders, port: 80}
    - {listen: "127.0.0.1:${ports.tcpEgress}", service: shop/orders, port: 90}
---
apiVersion: citadel.dev/v1
kind: Service
metadata: {namespace: shop, name: orders}
spec:
  ports:
    - {name: http, port: 80, targetPort: ${ports.http}}
    - {name: tcp, port: 90, protocol: tcp, targetPort: ${ports.tcp}}
  selector: {app: orders}
`;

const strict = `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {namespace: shop, name: default}
spec: {mtls: {mode: STRICT}}
`;

const noAdmin = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {namespace: shop, name: no-admin}
spec: {action: DENY, rules: [{to: [{operation: {paths: [/none]}}]}, {to: [{operation: {paths: [/admin]}}]}]}
`;

async function listening(server: Server): Promise<{ port: number } & AsyncDisposable> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        for (const socket of open) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** Answers, and keeps what is upgraded. */
function httpApplication() {
  const server = createHttpServer((_request, response) => response.end('ok'));
  server.on('upgrade', (_request, socket) =>
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
  );
  return server;
}

const echo = () => createServer((socket) => socket.on('error', () => undefined).pipe(socket));

async function start(relayed = false) {
  await using building = new AsyncDisposableStack();
  const http = building.use(await listening(httpApplication()));
  const tcp = building.use(await listening(echo()));
  const ports = {
    http: await freePort(),
    tcp: await freePort(),
    httpApplication: http.port,
    tcpApplication: tcp.port,
    httpEgress: await freePort(),
    tcpEgress: await freePort(),
  };
  const mesh = building.use(await startTestMesh({ registry: { 'shop.yaml': registry(ports) } }));
  const relay = building.use(await startRelay(mesh.server.app.csr.port));
  const orders = await mesh.startWorkload('orders-1', 'orders', {
    args: ['--drain-time-s', '2'],
    ...(relayed ? { serverPort: relay.port } : {}),
  });
  const running = building.move();
  const stopApplications = async () => {
    await http[Symbol.asyncDispose]();
    await tcp[Symbol.asyncDispose]();
  };
  return {
    ports,
    mesh,
    relay,
    orders,
    stopApplications,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

const socketOf = ({ server }: TestMesh) => join(server.directory, 'operator.sock');

async function statusOf(mesh: TestMesh, seconds: number): Promise<MutualTlsStatus> {
  const client = new OperatorServiceClient(`unix:${socketOf(mesh)}`, credentials.createInsecure());
  try {
    const { workloads } = await new Promise<{ workloads: MutualTlsStatus[] }>((resolve, reject) =>
      client.getMutualTlsStatus(
        { namespace: 'shop', workload: 'orders-1', windowSeconds: BigInt(seconds) },
        (error, response) => (error ? reject(error) : resolve(response)),
      ),
    );
    const [status] = workloads;
    if (!status) throw new Error('no such workload');
    return status;
  } finally {
    client.close();
  }
}

const callsTo = ({ callers }: MutualTlsStatus, port: number) =>
  Number(callers.find((caller) => caller.port === port)?.calls ?? 0n);

/** Until all that the proxy has logged by now is known to have come. */
async function allArrived({ server }: TestMesh): Promise<void> {
  const now = new Date();
  await waitFor(
    async () => {
      const [known] = await server.app.store.evidence.list();
      const { counters, confirmedAt, brokenAt } = known?.account ?? {};
      return (
        brokenAt === undefined && counters && counters.observedAt > now && confirmedAt && confirmedAt > now
      );
    },
    { what: 'all entries' },
  );
}

const becomes = (mesh: TestMesh, state: string, seconds: number, why = /(?:)/) =>
  waitFor(
    async () => {
      const { strict: now, reasons } = await statusOf(mesh, seconds);
      if (now === state && (state === 'safe' || reasons.some((reason) => why.test(reason)))) return true;
      throw new Error(`${now}: ${reasons.join('; ')}`);
    },
    { what: `STRICT to be ${state}`, deadline: 60_000 },
  );

// Most of the time each waits, for proxies to tell.
const concurrent = { concurrent: true };
describe.skipIf(!hasPart('envoy'))('evidence of plaintext', concurrent, () => {
  test('each call is told of at its start, and none by mutual TLS; without any, STRICT becomes safe', async () => {
    await using started = await start();
    const { ports, mesh } = started;
    await mesh.startWorkload('web-1', 'web');
    expect((await exchange(`http://127.0.0.1:${ports.httpEgress}/?secret=1`)).status).toBe(200);
    const mutual = connect(ports.tcpEgress, '127.0.0.1');
    mutual.write('hello');
    expect(String((await once(mutual, 'data'))[0])).toBe('hello');
    mutual.destroy();
    await becomes(mesh, 'safe', 3);
    expect((await statusOf(mesh, 3600)).strict).toBe('unknown');
    expect((await statusOf(mesh, 3)).callers).toEqual([]);

    expect((await exchange(`http://127.0.0.1:${ports.http}/a?secret=1`)).status).toBe(200);
    await waitFor(async () => callsTo(await statusOf(mesh, 3), ports.http) === 1, { what: 'the request' });

    const long = connect(ports.tcp, '127.0.0.1');
    long.write('hello');
    await once(long, 'data');
    await waitFor(async () => callsTo(await statusOf(mesh, 3), ports.tcp) === 1, {
      what: 'the long connection',
    });
    expect(long.destroyed).toBe(false);

    const webSocket = connect(ports.http, '127.0.0.1');
    webSocket.write('GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    expect(String((await once(webSocket, 'data'))[0])).toMatch(/^HTTP\/1\.1 101/);
    await waitFor(async () => callsTo(await statusOf(mesh, 3), ports.http) === 2, { what: 'the WebSocket' });
    expect(webSocket.destroyed).toBe(false);

    const seen = await statusOf(mesh, 60);
    expect(seen.strict).toBe('unsafe');
    expect(seen.callers.map(({ address, workloads }) => ({ address, workloads }))).toEqual(
      Array.from({ length: 2 }, () => ({
        address: '127.0.0.1',
        workloads: ['files/shop/orders-1', 'files/shop/web-1'],
      })),
    );
    const command = ['mtls', 'status', '--workload', 'orders-1', '--socket', socketOf(mesh)];
    const { stdout } = await promisify(execFile)(
      join(import.meta.dirname, '../../../scripts/citadel'),
      command,
    );
    expect(stdout).toMatch(/files\/shop\/orders-1 +\d+ PERMISSIVE, \d+ PERMISSIVE +unsafe +2 /);

    // What began long ago and is still there is a call of now.
    const later = new Date(Date.now() + 5_000);
    await waitFor(
      async () =>
        (await statusOf(mesh, 3)).callers.every(({ lastAt }) => lastAt !== undefined && lastAt > later),
      { what: 'word of what goes on' },
    );
    expect(callsTo(await statusOf(mesh, 3), ports.http)).toBe(2);

    long.destroy();
    webSocket.destroy();
    await becomes(mesh, 'safe', 3);
  }, 120_000);

  test('each denial is told of, with its policy, and with the caller where that is known', async () => {
    await using started = await start();
    const { ports, mesh, orders } = started;
    await mesh.startWorkload('web-1', 'web');
    await mesh.write('policy.yaml', noAdmin);
    const call = async (port: number, path: string) =>
      (await exchange(`http://127.0.0.1:${port}${path}`)).status;
    await waitFor(async () => (await call(ports.httpEgress, '/admin')) === 403, { what: 'the policy' });
    const denied = async () => (await statusOf(mesh, 3)).denials;
    await waitFor(async () => (await denied()).length === 1, { what: 'the denial by mutual TLS' });
    expect(await denied()).toMatchObject([
      {
        port: ports.http,
        transport: 'mtls',
        caller: 'spiffe://example.org/ns/shop/sa/web',
        policy: 'shop/no-admin',
        reason: 'rbac_access_denied_matched_policy[ns[shop]-policy[no-admin]-rule[1]]',
      },
    ]);
    expect(callsTo(await statusOf(mesh, 3), ports.http)).toBe(0);

    expect(await call(ports.http, '/admin')).toBe(403);
    await waitFor(async () => (await denied())[0]?.transport === 'plaintext', {
      what: 'the denial of plaintext',
    });
    expect(await denied()).toMatchObject([{ caller: '127.0.0.1', policy: 'shop/no-admin' }]);
    // STRICT would take nothing away from one that is refused already.
    expect(callsTo(await statusOf(mesh, 3), ports.http)).toBe(0);
    // One stream for all ports, chains and layers, beside that of discovery.
    expect(Object.values(await orders.stats('^cluster.citadel_server.upstream_rq_active$'))).toEqual([2]);
  });

  test('who scans, or reaches no application, is no caller', async () => {
    await using started = await start();
    const { ports, mesh, stopApplications } = started;
    const dial = async (port: number, bytes?: string | Buffer) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      if (bytes !== undefined) socket.write(bytes);
      return socket;
    };
    const halfHello = Buffer.from('1603010200010001fc0303', 'hex');
    for (const port of [ports.http, ports.tcp]) {
      (await dial(port)).destroy();
      (await dial(port, halfHello)).destroy();
    }
    const garbage = await dial(ports.http, 'this is no HTTP\r\n\r\n');
    expect(String((await once(garbage, 'data'))[0])).toMatch(/^HTTP\/1\.1 400/);
    // It is a connection until it is seen that nothing went over it.
    const silent = await dial(ports.tcp);
    await waitFor(async () => callsTo(await statusOf(mesh, 3), ports.tcp) === 1, { what: 'the silent one' });
    silent.destroy();
    await waitFor(async () => callsTo(await statusOf(mesh, 3), ports.tcp) === 0, { what: 'its end' });

    await stopApplications();
    expect((await exchange(`http://127.0.0.1:${ports.http}/`)).status).toBe(503);
    const refused = await dial(ports.tcp, 'hello');
    await new Promise((closed) => refused.once('close', closed));
    await allArrived(mesh);
    expect((await statusOf(mesh, 60)).callers).toEqual([]);
  });

  test('who says to be called from elsewhere is told of by the address that it has', async () => {
    await using started = await start();
    const { ports, mesh } = started;
    const headers = {
      'x-forwarded-for': '198.51.100.1',
      forwarded: 'for=198.51.100.2',
      'x-real-ip': '198.51.100.3',
      'x-envoy-external-address': '198.51.100.4',
      'x-envoy-original-dst-host': '127.0.0.1:1',
    };
    expect((await exchange(`http://127.0.0.1:${ports.http}/`, { headers })).status).toBe(200);
    const version1 = 'PROXY TCP4 198.51.100.5 198.51.100.6 1 2\r\n';
    const version2 = Buffer.from('0d0a0d0a000d0a515549540a2111000cc6336407c633640800010002', 'hex');
    for (const header of [version1, version2]) {
      const socket = connect(ports.tcp, '127.0.0.1');
      socket.write(header);
      // It is bytes as any other.
      expect((await once(socket, 'data'))[0]).toEqual(Buffer.from(header));
      socket.destroy();
    }
    await waitFor(
      async () => {
        const status = await statusOf(mesh, 60);
        return callsTo(status, ports.http) === 1 && callsTo(status, ports.tcp) === 2;
      },
      { what: 'all three calls' },
    );
    expect(new Set((await statusOf(mesh, 60)).callers.map(({ address }) => address))).toEqual(
      new Set(['127.0.0.1']),
    );
  });

  test('a strict port is said to be strict when plaintext has drained, and what it refuses is told of', async () => {
    await using started = await start();
    const { ports, mesh } = started;
    const modes = async () =>
      (await statusOf(mesh, 3)).ports.map((port) => port.effectiveMode || port.detail);
    await waitFor(async () => (await modes()).every((mode) => mode === 'PERMISSIVE'), {
      what: 'the first modes',
    });
    const long = connect(ports.tcp, '127.0.0.1');
    long.on('error', () => undefined);
    long.write('hello');
    await once(long, 'data');

    await mesh.write('peer.yaml', strict);
    await waitFor(async () => (await modes()).some((mode) => mode.includes('draining until at most')), {
      what: 'the old chains to drain',
    });
    await waitFor(async () => (await modes()).every((mode) => mode === 'STRICT'), {
      what: 'both ports to be strict',
    });
    expect(long.destroyed || (await once(long, 'close')).length >= 0).toBe(true);

    const calls = callsTo(await statusOf(mesh, 3), ports.http);
    await expect(exchange(`http://127.0.0.1:${ports.http}/`)).rejects.toThrow();
    await waitFor(async () => (await statusOf(mesh, 3)).denials.length === 1, { what: 'the refusal' });
    const status = await statusOf(mesh, 3);
    expect(status.denials).toMatchObject([
      { port: ports.http, transport: 'plaintext', caller: '127.0.0.1', reason: 'filter_chain_not_found' },
    ]);
    expect(callsTo(status, ports.http)).toBe(calls);
  });

  test('what a broken stream has lost makes it unknown, though no counter of Envoy tells of a loss', async () => {
    await using started = await start(true);
    const { ports, mesh, relay, orders } = started;
    expect((await exchange(`http://127.0.0.1:${ports.http}/`)).status).toBe(200);
    await becomes(mesh, 'safe', 3);
    relay.cut();
    await becomes(mesh, 'unknown', 3, /broke at/);
    expect((await exchange(`http://127.0.0.1:${ports.http}/`)).status).toBe(200);
    await waitFor(async () => Object.values(await orders.stats('grpc_entries_flushed$'))[0] === 2, {
      what: 'Envoy to hand the entry over',
    });
    relay.mend();
    await becomes(mesh, 'unknown', 10, /1 entries of its log have been lost/);
    expect(
      Object.values(await orders.stats('grpc_access_log.(logs_dropped|grpc_entries_flush_failed)$')),
    ).toEqual([0, 0]);
    await becomes(mesh, 'safe', 3);
  }, 120_000);
});
