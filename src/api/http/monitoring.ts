import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Log } from '../../kernel/index.ts';
import { cannotListen, type ListenAddress, sendReply } from '../listen/index.ts';
import { formatChecks, type HealthCheck, runChecks } from './checks.ts';
import { crlReply, type ServedCrl } from './crls.ts';

export type { HealthCheck } from './checks.ts';

// Not by import: that reads every export of node:http, and so loads its WebSocket, some 5 MiB.
const { createServer } = process.getBuiltinModule('node:http');

export interface MonitoringOptions {
  readonly address: ListenAddress;
  /** Who writes /metrics. */
  readonly registry: { readonly contentType: string; expose(): Promise<string> };
  /** Fail when only a restart helps. */
  readonly livez: readonly HealthCheck[];
  /** Fail when callers should go elsewhere. */
  readonly readyz: readonly HealthCheck[];
  /** What `/crl` serves; absent: nothing. */
  readonly crls?: () => readonly ServedCrl[];
  readonly log: Log;
  readonly checkTimeoutMilliseconds?: number;
  /** How long a reader may take for a reply; a minute by default. */
  readonly replyTimeoutMilliseconds?: number;
}

export interface MonitoringListener {
  readonly address: { readonly host: string; readonly port: number };
  close(): Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

const plain = 'text/plain; charset=utf-8';
const defaultCheckTimeout = 2_000;

/**
 * /livez, /readyz (`?verbose` names each check, JSON where Accept asks for it), /metrics and /crl: plain HTTP, GET and HEAD.
 * @throws CitadelError FailedPrecondition when the port is in use or must not be opened
 */
export async function startMonitoringListener(options: MonitoringOptions): Promise<MonitoringListener> {
  const server = createServer(
    {
      maxHeaderSize: 8_192,
      headersTimeout: 5_000,
      requestTimeout: 10_000,
      keepAliveTimeout: 30_000,
      connectionsCheckingInterval: 5_000,
    },
    (request, response) => {
      // A body is never wanted: what comes is dropped, and the connection with it.
      request.resume();
      void answer(request, response, options);
    },
  );
  server.maxConnections = 256;
  server.maxHeadersCount = 64;
  server.on('clientError', (_, socket) => {
    if (socket.writable)
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  });
  const { host, port } = options.address;
  try {
    server.listen({ host, port });
    await once(server, 'listening');
  } catch (error) {
    throw cannotListen(options.address, error);
  }
  const bound = server.address();
  return {
    address: { host, port: typeof bound === 'object' && bound !== null ? bound.port : port },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: MonitoringOptions,
): Promise<void> {
  let reply: Reply;
  try {
    reply = await route(request, options);
  } catch (error) {
    options.log.error('monitoring request failed', { error });
    reply = { status: 500, type: plain, body: 'internal error\n' };
  }
  const { status, type, body, headers } = reply;
  const sent = {
    status,
    body,
    headers: {
      'content-type': type,
      // Of a CRL an old copy would be a hole: whoever keeps one has to ask whether it is the newest.
      'cache-control': headers?.['etag'] === undefined ? 'no-store' : 'no-cache',
      'x-content-type-options': 'nosniff',
      ...headers,
      ...(hasBody(request) ? { connection: 'close' } : {}),
    },
  };
  // Of few connections none is for who does not read: all that are taken, nobody learns any more that the server lives.
  sendReply(request, response, sent, options.replyTimeoutMilliseconds);
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

async function route(request: IncomingMessage, options: MonitoringOptions): Promise<Reply> {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return { status: 405, type: plain, body: 'only GET and HEAD\n', headers: { allow: 'GET, HEAD' } };
  const [path = '', query = ''] = (request.url ?? '').split('?', 2);
  switch (path) {
    case '/livez':
      return await health(options.livez, request, query, options);
    case '/readyz':
      return await health(options.readyz, request, query, options);
    case '/metrics':
      return { status: 200, type: options.registry.contentType, body: await options.registry.expose() };
    default:
      return (
        crlReply(path, request, options.crls?.() ?? []) ?? {
          status: 404,
          type: plain,
          body: 'not here; there are /livez, /readyz, /metrics and /crl\n',
        }
      );
  }
}

async function health(
  checks: readonly HealthCheck[],
  request: IncomingMessage,
  query: string,
  options: MonitoringOptions,
): Promise<Reply> {
  const result = await runChecks(checks, options.checkTimeoutMilliseconds ?? defaultCheckTimeout);
  const status = result.healthy ? 200 : 503;
  if (!new URLSearchParams(query).has('verbose'))
    return { status, type: plain, body: result.healthy ? 'ok\n' : 'failed; ?verbose says what\n' };
  return request.headers.accept?.includes('application/json')
    ? { status, type: 'application/json', body: `${JSON.stringify(result)}\n` }
    : { status, type: plain, body: formatChecks(result) };
}
