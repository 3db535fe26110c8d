import { type IncomingMessage, request } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from 'node:net';
import { describe, expect, test } from 'vitest';
import { freePort, hasPart } from '../../parts/index.ts';
import { createApplication } from '../../support/http-application.ts';
import { startTestMesh } from '../../support/mesh.ts';
import { registryText } from '../../support/registry.ts';

/** Milliseconds. */
const lifetime = 4_000;
/** What a busy machine and a connection's last bytes may take beside it. */
const slack = 2_000;

interface Listening {
  readonly port: number;
}

async function listen(stack: AsyncDisposableStack, server: Server): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stack.defer(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  // It listens on an address, as was asked.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return { port: (server.address() as AddressInfo).port };
}

/** Applications that never end anything by themselves: a WebSocket that echoes, a response without an end, bytes. */
async function startApplications(stack: AsyncDisposableStack) {
  const http = createApplication((incoming, response) => {
    if (incoming.url === '/silent') return;
    if (incoming.url !== '/endless') return void response.end('done');
    response.writeHead(200).write('begun');
  });
  http.on('upgrade', (_incoming: IncomingMessage, socket: Socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    socket.pipe(socket);
  });
  const http2 = createHttp2Server();
  http2.on('sessionError', () => undefined);
  http2.on('stream', (stream) => {
    stream.on('error', () => undefined);
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    stream.write('begun');
  });
  const tcp = createTcpServer((socket) => void socket.pipe(socket));
  return {
    http: await listen(stack, http),
    http2: await listen(stack, http2),
    tcp: await listen(stack, tcp),
  };
}

/** What became of something that was meant to go on: after how long it ended, and how. */
interface Ending {
  readonly after: number;
  readonly how: string;
}

function timed(begin: (end: (how: string) => void) => void): Promise<Ending> {
  return new Promise((resolve, reject) => {
    const begun = performance.now();
    const timer = setTimeout(() => reject(new Error('it did not end')), 2 * lifetime + slack);
    begin((how) => {
      clearTimeout(timer);
      resolve({ after: performance.now() - begun, how });
    });
  });
}

const webSocket = (port: number) =>
  timed((end) => {
    const sent = request({
      host: '127.0.0.1',
      port,
      agent: false,
      headers: { connection: 'Upgrade', upgrade: 'websocket' },
    });
    sent.once('upgrade', (_response, socket: Socket) => {
      let echoed = false;
      socket.on('data', () => {
        echoed = true;
      });
      socket.on('error', () => undefined);
      const talk = setInterval(() => socket.write('x'), 200);
      socket.once('close', () => {
        clearInterval(talk);
        end(echoed ? 'closed' : 'silent');
      });
    });
    sent.once('error', (error) => end(error.message));
    sent.end();
  });

const response = (port: number, path: string) =>
  timed((end) => {
    const sent = request({ host: '127.0.0.1', port, path, agent: false }, (incoming) => {
      incoming.resume();
      incoming.once('error', () => undefined);
      incoming.once('close', () => end(incoming.complete ? `status ${incoming.statusCode}` : 'cut'));
    });
    sent.once('error', (error) => end(error.message));
    sent.end();
  });

const grpcStream = (port: number) =>
  timed((end) => {
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    session.on('error', () => undefined);
    const stream = session.request({
      ':method': 'POST',
      ':path': '/a.B/C',
      'content-type': 'application/grpc',
    });
    let begun = false;
    stream.on('data', () => {
      begun = true;
    });
    stream.on('error', () => undefined);
    stream.once('close', () => {
      session.destroy();
      end(begun ? `reset ${stream.rstCode}` : 'refused');
    });
  });

const bytes = (port: number) =>
  timed((end) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    const talk = setInterval(() => socket.write('x'), 200);
    socket.resume();
    socket.once('close', () => {
      clearInterval(talk);
      end('closed');
    });
  });

/** Requests one after the other on one connection, until it is not taken again. */
const requests = (port: number) =>
  timed((end) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    const ask = () => socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    socket.on('data', () => void setTimeout(ask, 100));
    socket.once('close', () => end('closed'));
    ask();
  });

describe.skipIf(!hasPart('envoy'))('nothing outlives mesh.connectionLifetime', () => {
  test('HTTP/1.1, HTTP/2, WebSocket, gRPC streams, TCP: in plaintext and by mutual TLS', async () => {
    await using stack = new AsyncDisposableStack();
    const applications = await startApplications(stack);
    const own = { http: await freePort(), http2: await freePort(), tcp: await freePort() };
    const calls = { http: await freePort(), http2: await freePort(), tcp: await freePort() };
    const protocols = ['http', 'http2', 'tcp'] as const;
    const text = registryText(
      [
        {
          name: 'orders',
          ports: protocols.map((protocol) => ({
            port: own[protocol],
            protocol,
            application: applications[protocol].port,
          })),
        },
        {
          name: 'web',
          egress: protocols.map((protocol, at) => ({
            listen: calls[protocol],
            service: 'orders',
            port: 80 + at,
          })),
        },
      ],
      [
        {
          name: 'orders',
          ports: protocols.map((protocol, at) => ({ port: 80 + at, targetPort: own[protocol], protocol })),
        },
      ],
    );
    const mesh = stack.use(
      await startTestMesh({
        registry: { 'a.yaml': text },
        mesh: { connectionLifetime: `${lifetime / 1000}s` },
      }),
    );
    await Promise.all(['orders', 'web'].map((name) => mesh.startWorkload(name, name)));
    const endings = await Promise.all(
      [own, calls].map((to) =>
        Promise.all([
          webSocket(to.http),
          response(to.http, '/endless'),
          response(to.http, '/silent'),
          grpcStream(to.http2),
          bytes(to.tcp),
          requests(to.http),
        ]),
      ),
    );
    for (const each of endings) {
      const hows = each.map(({ how }) => how);
      expect(hows).toEqual(['closed', 'cut', 'status 504', 'reset 2', 'closed', 'closed']);
      for (const { after, how } of each) expect(after, how).toBeLessThan(lifetime + slack);
    }
  });
});
