import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request as httpsRequest } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { KubeApi } from '../../parts/index.ts';
import { selfSigned } from './self-signed.ts';

/** What the proxy does with a request instead of passing it on. */
export type Fault =
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: string; readonly body?: object }
  | { readonly kind: 'drop' }
  | { readonly kind: 'hang' };

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
}

export interface FaultProxy extends AsyncDisposable {
  /** Every request that reached it, faults included. */
  readonly seen: SeenRequest[];
  count(method: string, path: RegExp): number;
  /** Asked for each request; undefined passes it on. */
  fault: ((request: SeenRequest) => Fault | undefined) | undefined;
  /** How many connections were made to it. */
  readonly connections: number;
  /** Cuts every connection that is open. */
  cut(): void;
  writeKubeconfig(path: string, token: string): Promise<void>;
}

/** A TLS server of its own that stands before the real API server, counts, and fails on demand. */
export async function startFaultProxy(kube: KubeApi): Promise<FaultProxy> {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certificate = await selfSigned(keys);
  const upstream = new Agent({ ca: kube.caPem, keepAlive: true });
  const sockets = new Set<Socket>();
  const seen: SeenRequest[] = [];
  const proxy: { fault: FaultProxy['fault']; connections: number } = { fault: undefined, connections: 0 };
  const server = createServer(
    { cert: certificate, key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }) },
    (request, response) => {
      const url = new URL(request.url ?? '/', kube.server);
      const known = { method: request.method ?? '', path: url.pathname, query: url.searchParams };
      seen.push(known);
      const fault = proxy.fault?.(known);
      if (fault === undefined) passOn(url, request, response, upstream);
      else if (fault.kind === 'drop') request.socket.destroy();
      else if (fault.kind === 'status') {
        response.writeHead(
          fault.status,
          fault.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter },
        );
        response.end(JSON.stringify(fault.body ?? { kind: 'Status', code: fault.status }));
      }
    },
  );
  server.on('secureConnection', (socket: Socket) => {
    proxy.connections += 1;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server's address is never a string
  const { port } = server.address() as AddressInfo;
  return Object.assign(proxy, {
    seen,
    cut,
    count: (method: string, path: RegExp) =>
      seen.filter((each) => each.method === method && path.test(each.path)).length,
    async writeKubeconfig(path: string, token: string) {
      const cluster = {
        server: `https://127.0.0.1:${port}`,
        'certificate-authority-data': Buffer.from(certificate).toString('base64'),
      };
      const config = {
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': 'proxy',
        clusters: [{ name: 'proxy', cluster }],
        users: [{ name: 'caller', user: { token } }],
        contexts: [{ name: 'proxy', context: { cluster: 'proxy', user: 'caller' } }],
      };
      await writeFile(path, JSON.stringify(config), { mode: 0o600 });
    },
    async [Symbol.asyncDispose]() {
      cut();
      upstream.destroy();
      server.close();
      await once(server, 'close');
    },
  });
}

function passOn(url: URL, request: IncomingMessage, response: ServerResponse, agent: Agent): void {
  const { host: _, ...headers } = request.headers;
  const forwarded = httpsRequest(url, { method: request.method, headers, agent });
  forwarded.once('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    response.flushHeaders();
    answer.pipe(response);
    answer.once('error', () => response.destroy());
  });
  forwarded.once('error', () => response.destroy());
  response.once('close', () => forwarded.destroy());
  request.pipe(forwarded);
}
