import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { ServingCertificateSource } from '../../domain/serving/index.ts';
import { describeError } from '../../kernel/index.ts';
import {
  cannotListen,
  createRefusals,
  type ListenAddress,
  type Refusal,
  tlsContextOf,
} from '../listen/index.ts';
import { createWebhookHandler, type WebhookHandlerOptions } from './handler.ts';

// Not by import, which would load Node's WebSocket too: see src/api/http/monitoring.ts.
const { createServer } = process.getBuiltinModule('node:https');

export interface WebhookLimits {
  /** Open at once. */
  readonly connections: number;
  readonly connectionsPerPeer: number;
  /** Milliseconds in which a TLS handshake must end. */
  readonly handshakeTimeout: number;
  /** Milliseconds in which a request must have arrived. */
  readonly requestTimeout: number;
  readonly requestBytes: number;
  /** Of the bodies of all requests together. */
  readonly bytesInFlight: number;
  /** Of one address that proves nothing; proven API servers are not held. */
  readonly callsPerSecondPerPeer: number;
}

/** An API server sends an object twice at most, of which etcd takes 1.5 MiB; it has few connections, and reuses them. */
export const defaultWebhookLimits = {
  connections: 256,
  connectionsPerPeer: 64,
  requestBytes: 3 * 1024 * 1024,
  bytesInFlight: 32 * 1024 * 1024,
} as const satisfies Partial<WebhookLimits>;

export interface WebhookListenerOptions extends Pick<WebhookHandlerOptions, 'clients' | 'judge' | 'log'> {
  readonly address: ListenAddress;
  readonly certificates: ServingCertificateSource;
  readonly limits: WebhookLimits;
  readonly onRefused: (refusal: Refusal) => void;
}

export interface WebhookListener {
  readonly port: number;
  close(): Promise<void>;
}

const idleConnection = 60_000;

/**
 * POST /validate for the API servers of Kubernetes, over TLS with the server's own certificate, which it follows without a
 * restart.
 * @throws CitadelError FailedPrecondition when the port is in use or must not be opened
 */
export async function startWebhookListener(options: WebhookListenerOptions): Promise<WebhookListener> {
  const { address, certificates, clients, limits, log } = options;
  const now = () => performance.now();
  const refuse = createRefusals(options.onRefused, now);
  const handle = createWebhookHandler({ ...options, ...limits, refuse, now });
  let authorities = clients?.authorities();
  const context = () => tlsContextOf(certificates.current(), authorities);
  const server = createServer(
    {
      ...context(),
      requestCert: clients !== undefined,
      // A caller without a certificate is told so, which a broken handshake would not.
      rejectUnauthorized: false,
      handshakeTimeout: limits.handshakeTimeout,
      maxHeaderSize: 16_384,
      headersTimeout: Math.min(5_000, limits.requestTimeout),
      requestTimeout: limits.requestTimeout,
      keepAliveTimeout: idleConnection,
      connectionsCheckingInterval: Math.min(1_000, limits.requestTimeout),
    },
    (request, response) => void handle(request, response),
  );
  server.maxConnections = limits.connections;
  server.maxHeadersCount = 64;
  const open = holdConnections(server, limits, (peer) => refuse({ kind: 'connections', peer, method: '' }));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const [status, kind] = statuses[error.code ?? ''] ?? ['400 Bad Request', undefined];
    const peer = 'remoteAddress' in socket ? String(socket.remoteAddress) : 'unknown';
    if (kind) refuse({ kind, peer, method: '' });
    if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    else socket.destroy();
  });
  try {
    server.listen(address);
    await once(server, 'listening');
  } catch (error) {
    throw cannotListen(address, error);
  }
  const unfollow = certificates.onChange(() => {
    try {
      authorities = clients?.authorities();
    } catch (error) {
      log.warn('the authorities of API servers cannot be read; the last ones stay', {
        cause: describeError(error),
      });
    }
    server.setSecureContext(context());
  });
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : address.port,
    async close() {
      unfollow();
      const closed = once(server, 'close');
      server.close();
      // Answers take milliseconds: whoever is in the middle of a question asks the next server, or again.
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

const statuses: Readonly<Record<string, readonly [status: string, kind: Refusal['kind'] | undefined]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'incomplete'],
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'incomplete'],
  ECONNRESET: ['400 Bad Request', undefined],
};

/** Who opens many connections must leave some to the others. @returns those that are open */
function holdConnections(
  server: ReturnType<typeof createServer>,
  { connectionsPerPeer }: WebhookLimits,
  onDropped: (peer: string) => void,
): ReadonlySet<Socket> {
  const open = new Set<Socket>();
  const counts = new Map<string, number>();
  server.on('drop', (dropped) => onDropped(dropped?.remoteAddress ?? 'unknown'));
  // A handshake that fails is the caller's affair.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  server.on('connection', (socket: Socket) => {
    const peer = socket.remoteAddress ?? 'unknown';
    const known = counts.get(peer) ?? 0;
    if (known >= connectionsPerPeer) {
      socket.destroy();
      onDropped(peer);
      return;
    }
    open.add(socket);
    counts.set(peer, known + 1);
    socket.once('close', () => {
      open.delete(socket);
      const left = (counts.get(peer) ?? 1) - 1;
      if (left > 0) counts.set(peer, left);
      else counts.delete(peer);
    });
  });
  return open;
}
