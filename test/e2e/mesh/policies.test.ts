import { Agent, request } from 'node:http';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { exchange, freePort, hasPart, waitFor } from '../../parts/index.ts';
import { createApplication } from '../../support/http-application.ts';
import { startApplication, startTestMesh, type TestMesh } from '../../support/mesh.ts';
import { callersOf, registryText } from '../../support/registry.ts';

interface Shop {
  readonly mesh: TestMesh;
  /** Of the callee, for callers in plaintext. */
  readonly port: number;
  readonly asWeb: (path: string, method?: string) => Promise<number>;
  readonly asCron: (path: string, method?: string) => Promise<number>;
}

const rules = (action: string, spec: string, name = action.toLowerCase()) => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {namespace: shop, name: ${name}}
spec:
  selector: {matchLabels: {app: orders}}
  action: ${action}
  rules: ${spec}
`;

/** A path as it is written, which a URL would make canonical before it is sent. */
function statusOfRaw(port: number, path: string, method: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.once('error', reject);
    sent.end();
  });
}

async function get(port: number, agent: Agent): Promise<{ status: number; reused: boolean }> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, agent, path: '/' }, (response) => {
      response.resume();
      response.once('end', () => resolve({ status: response.statusCode ?? 0, reused: sent.reusedSocket }));
    });
    sent.once('error', reject);
    sent.end();
  });
}

/** HTTP, and TLS to which it listens without a word. */
async function startMixedApplication(stack: AsyncDisposableStack) {
  let tlsConnections = 0;
  const http = createApplication((_request, response) => response.end('well'));
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('data', (chunk: Buffer) => {
      if (chunk[0] === 0x16) {
        tlsConnections += 1;
        socket.resume();
        return;
      }
      http.emit('connection', socket);
      socket.unshift(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stack.defer(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the application has no port');
  return { port: address.port, tlsConnections: () => tlsConnections };
}

/** orders, and two callers with mutual TLS. */
async function startShop(stack: AsyncDisposableStack): Promise<Shop> {
  const application = stack.use(await startApplication('orders'));
  const [port, web, cron] = await Promise.all([freePort(), freePort(), freePort()]);
  const text = registryText(
    [
      { name: 'orders', ports: [{ port, application: application.port }] },
      ...callersOf('orders', 80, { web, cron }),
    ],
    [{ name: 'orders', ports: [{ port: 80, targetPort: port }] }],
  );
  const mesh = stack.use(await startTestMesh({ registry: { 'shop.yaml': text } }));
  await Promise.all(['orders', 'web', 'cron'].map((name) => mesh.startWorkload(name, name)));
  const statusOf =
    (listen: number) =>
    (path: string, method = 'GET') =>
      statusOfRaw(listen, path, method);
  return { mesh, port, asWeb: statusOf(web), asCron: statusOf(cron) };
}

describe.skipIf(!hasPart('envoy'))('policies on real Envoys', () => {
  test('an author’s edits take hold live: by caller, path and method, and only there', async () => {
    await using stack = new AsyncDisposableStack();
    const { mesh, port, asWeb, asCron } = await startShop(stack);
    expect(await asWeb('/orders/1')).toBe(200);
    expect(await asCron('/orders/1')).toBe(200);

    await mesh.write(
      'policy.yaml',
      rules(
        'DENY',
        '[{from: [{source: {principals: ["*/sa/cron"]}}], to: [{operation: {paths: ["/admin*"]}}]}]',
      ),
    );
    await waitFor(async () => (await asCron('/admin/x')) === 403, { what: 'the denial to hold' });
    expect(await asCron('/orders/1')).toBe(200);
    expect(await asWeb('/admin/x')).toBe(200);
    for (const way of ['//admin/x', '/a/../admin/x', '/%61dmin/x', '/x/..%2fadmin/x', '/./admin/x'])
      expect(await asCron(way), way).toBe(403);

    await mesh.write(
      'policy.yaml',
      rules(
        'ALLOW',
        '[{from: [{source: {principals: ["example.org/ns/shop/sa/web"]}}], to: [{operation: {methods: [GET]}}]}]',
      ),
    );
    await waitFor(async () => (await asCron('/orders/1')) === 403, { what: 'the allowance to hold' });
    expect(await asWeb('/orders/1')).toBe(200);
    expect(await asWeb('/orders/1', 'POST')).toBe(403);
    expect((await exchange(`http://127.0.0.1:${port}/orders/1`)).status, 'plaintext has no principal').toBe(
      403,
    );

    await mesh.write('policy.yaml', '');
    await waitFor(async () => (await asCron('/admin/x')) === 200, { what: 'the policy to be gone' });
  });

  test('an edit closes no connection, and a denial names no policy', async () => {
    await using stack = new AsyncDisposableStack();
    const { mesh, port } = await startShop(stack);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    stack.defer(() => agent.destroy());
    const onOne = () =>
      new Promise<{ status: number; reused: boolean; body: string; id: unknown }>((resolve, reject) => {
        const sent = request({ host: '127.0.0.1', port, agent, path: '/' }, (response) => {
          let body = '';
          response.on('data', (chunk: Buffer) => {
            body += chunk.toString('utf8');
          });
          response.once('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              reused: sent.reusedSocket,
              body,
              id: response.headers['x-citadel-denial'],
            }),
          );
        });
        sent.once('error', reject);
        sent.end();
      });
    expect(await onOne()).toMatchObject({ status: 200, reused: false, id: undefined });
    await mesh.write('policy.yaml', rules('DENY', '[{}]', 'nobody-may'));
    await waitFor(async () => (await onOne()).status === 403, { what: 'the denial on the open connection' });
    const denied = await onOne();
    expect(denied).toMatchObject({ status: 403, reused: true });
    expect(denied.body).not.toContain('nobody-may');
    expect(denied.id).toMatch(/^[0-9a-f-]{36}$/);
    await mesh.write('policy.yaml', '');
    await waitFor(async () => (await onOne()).status === 200, { what: 'the denial to be gone' });
    expect(await onOne()).toMatchObject({ reused: true });
  });

  test('an edit about callers ends TLS that is passed through, and nothing that is read as HTTP', async () => {
    await using stack = new AsyncDisposableStack();
    const application = await startMixedApplication(stack);
    const [port, web] = [await freePort(), await freePort()];
    const text = registryText(
      [
        { name: 'orders', ports: [{ port, application: application.port }] },
        ...callersOf('orders', 80, { web }),
      ],
      [{ name: 'orders', ports: [{ port: 80, targetPort: port }] }],
    );
    const mesh = stack.use(await startTestMesh({ registry: { 'shop.yaml': text } }));
    await mesh.startWorkload('orders', 'orders', { args: ['--drain-time-s', '1'] });
    const caller = await mesh.startWorkload('web', 'web', { args: ['--drain-time-s', '1'] });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    stack.defer(() => agent.destroy());
    const plaintext = await get(port, agent);
    expect(plaintext).toEqual({ status: 200, reused: false });
    const asWeb = () => statusOfRaw(web, '/', 'GET');
    expect(await asWeb()).toBe(200);
    const passed = connectTls({ host: '127.0.0.1', port });
    passed.on('error', () => undefined);
    let ended = false;
    passed.once('close', () => {
      ended = true;
    });
    await waitFor(() => application.tlsConnections() === 1, { what: 'TLS to be passed through' });

    await mesh.write('policy.yaml', rules('DENY', '[{to: [{operation: {paths: ["/none"]}}]}]'));
    await waitFor(() => ended, { what: 'the connection that the policy denies by now to end' });
    await mesh.write('policy.yaml', rules('DENY', '[{from: [{source: {principals: ["*/sa/cron"]}}]}]'));
    await waitFor(async () => (await statusOfRaw(port, '/none', 'GET')) === 200, {
      what: 'the second edit to hold',
    });
    expect(await get(port, agent)).toEqual({ status: 200, reused: true });
    expect(await asWeb()).toBe(200);
    const connections = await caller.stats('^cluster.outbound/shop/orders/80.upstream_cx_(total|destroy)$');
    expect(Object.values(connections).toSorted((a, b) => a - b)).toEqual([0, 1]);
  });

  test('a broken edit keeps the last good policy, and is told', async () => {
    await using stack = new AsyncDisposableStack();
    const { mesh, asWeb } = await startShop(stack);
    await mesh.write('policy.yaml', rules('DENY', '[{to: [{operation: {paths: ["/admin*"]}}]}]'));
    await waitFor(async () => (await asWeb('/admin')) === 403, { what: 'the denial to hold' });
    await mesh.write('policy.yaml', rules('DENY', '[{to: [{operation: {path: ["/admin*"]}}]}]'));
    const rejected = () => mesh.server.app.controlPlane?.sources().flatMap((source) => source.rejected) ?? [];
    await waitFor(() => rejected().length > 0, { what: 'the problem to be told' });
    expect(rejected()[0]?.reason).toMatch(
      /policy\.yaml:8:\d+: .*spec\.rules\[0\]\.to\[0\]\.operation\.path: unknown key; did you mean paths\?/,
    );
    expect(await asWeb('/admin')).toBe(403);
  });
});
