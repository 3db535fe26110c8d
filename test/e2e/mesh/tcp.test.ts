import { connect, createServer, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { freePort, hasPart, waitFor } from '../../parts/index.ts';
import { issueTo } from '../../support/issue-to.ts';
import { startTestMesh } from '../../support/mesh.ts';
import { callersOf, registryText } from '../../support/registry.ts';

/** Echo, after a greeting where one is given: a protocol in which the server speaks first. */
async function startEcho(greeting = ''): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    if (greeting !== '') socket.write(greeting);
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the echo has no port');
  return {
    port: address.port,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** What comes back for some bytes; nothing where the connection is closed. */
function talk(socket: Socket, sent: string): Promise<string> {
  return new Promise((resolve) => {
    let received = '';
    const end = () => {
      socket.destroy();
      resolve(received);
    };
    socket.setTimeout(5_000, end);
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      if (received.length >= sent.length) end();
    });
    socket.on('error', end);
    socket.on('close', end);
    if (sent !== '') socket.write(sent);
  });
}

const registry = (port: number, application: number, listens: Readonly<Record<string, number>>) =>
  registryText(
    [
      { name: 'store', ports: [{ port, protocol: 'tcp', application }] },
      ...callersOf('store', 6379, listens),
    ],
    [{ name: 'store', ports: [{ port: 6379, protocol: 'tcp', targetPort: port }] }],
  );

const policy = (action: string, rule: string) => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {namespace: shop, name: p}
spec:
  action: ${action}
  rules: [${rule}]
`;
const strict = `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {namespace: shop, name: default}
spec: {mtls: {mode: STRICT}}
`;

describe.skipIf(!hasPart('envoy'))('a TCP port', () => {
  test('is judged by who calls; what a policy says of HTTP denies more and allows less', async () => {
    await using echo = await startEcho();
    const [port, web, cron] = [await freePort(), await freePort(), await freePort()];
    await using mesh = await startTestMesh({
      registry: { 'a.yaml': registry(port, echo.port, { web, cron }) },
    });
    await Promise.all(['store', 'web', 'cron'].map((name) => mesh.startWorkload(name, name)));
    const says = async (listen: number) => talk(connect(listen, '127.0.0.1'), 'ping');
    expect([await says(web), await says(cron), await says(port)]).toEqual(['ping', 'ping', 'ping']);

    await mesh.write('policy.yaml', policy('ALLOW', '{from: [{source: {principals: ["*/sa/web"]}}]}'));
    await waitFor(async () => (await says(cron)) === '', { what: 'the other caller to be shut out' });
    expect([await says(web), await says(cron), await says(port)]).toEqual(['ping', '', '']);

    await mesh.write(
      'policy.yaml',
      policy('DENY', '{from: [{source: {principals: ["*/sa/cron"]}}], to: [{operation: {methods: [POST]}}]}'),
    );
    await waitFor(async () => (await says(port)) === 'ping', { what: 'the denial of one caller' });
    expect([await says(web), await says(cron), await says(port)]).toEqual(['ping', '', 'ping']);

    await mesh.write('policy.yaml', policy('DENY', '{from: [{source: {notTrustDomains: ["example.org"]}}]}'));
    await waitFor(async () => (await says(port)) === '', { what: 'the denial of who has no trust domain' });
    expect([await says(web), await says(cron), await says(port)]).toEqual(['ping', 'ping', '']);

    await mesh.write(
      'policy.yaml',
      policy('ALLOW', '{from: [{source: {principals: ["*/sa/web"]}}], to: [{operation: {methods: [GET]}}]}'),
    );
    await waitFor(async () => (await says(web)) === '', {
      what: 'the rule that asks for HTTP to match nothing',
    });
  });

  test('judges connections that are open anew when a policy changes, after the drain time', async () => {
    await using echo = await startEcho();
    const [port, web] = [await freePort(), await freePort()];
    await using mesh = await startTestMesh({ registry: { 'a.yaml': registry(port, echo.port, { web }) } });
    await mesh.startWorkload('store', 'store', { args: ['--drain-time-s', '1'] });
    await mesh.startWorkload('web', 'web');
    const socket = connect(web, '127.0.0.1');
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    const echoed = new Promise<string>((resolve) =>
      socket.once('data', (data: Buffer) => resolve(data.toString())),
    );
    socket.write('ping');
    expect(await echoed).toBe('ping');
    await mesh.write('policy.yaml', policy('DENY', '{from: [{source: {principals: ["*/sa/web"]}}]}'));
    await closed;
    expect(await talk(connect(web, '127.0.0.1'), 'ping')).toBe('');
  });

  test('passes a protocol in which the server speaks first, in plaintext and by mutual TLS', async () => {
    await using echo = await startEcho('hello');
    const [port, web] = [await freePort(), await freePort()];
    await using mesh = await startTestMesh({ registry: { 'a.yaml': registry(port, echo.port, { web }) } });
    await Promise.all(['store', 'web'].map((name) => mesh.startWorkload(name, name)));
    const greeted = (listen: number) =>
      new Promise<string>((resolve, reject) => {
        const socket = connect(listen, '127.0.0.1');
        socket.setTimeout(10_000, () => reject(new Error('nobody spoke')));
        socket.once('error', reject);
        socket.once('data', (chunk: Buffer) => {
          socket.destroy();
          resolve(chunk.toString('latin1'));
        });
      });
    expect(await greeted(web)).toBe('hello');
    expect(await greeted(port)).toBe('hello');
  });

  test('that is strict takes an application’s own SVID without a proxy, and no certificate of others', async () => {
    await using echo = await startEcho();
    const port = await freePort();
    await using mesh = await startTestMesh({
      registry: { 'a.yaml': registry(port, echo.port, {}), 'strict.yaml': strict },
    });
    await mesh.startWorkload('store', 'store');
    const { server } = mesh;
    const svid = await issueTo(server, 'development:shop/cli/cli-1', '/ns/shop/sa/cli');
    const dial = (more: object) =>
      connectTls({
        host: '127.0.0.1',
        port,
        ca: server.app.authority.bundle().pem,
        // The name is a SPIFFE ID, which Node does not check.
        checkServerIdentity: () => undefined,
        ...more,
      });
    expect(await talk(dial({ key: svid.privateKeyPem, cert: svid.chainPem }), 'ping')).toBe('ping');
    expect(await talk(dial({}), 'ping')).toBe('');
    expect(await talk(connect(port, '127.0.0.1'), 'ping')).toBe('');
  });
});
