import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import type { ServingCertificateSource } from '../../domain/serving/index.ts';
import { describeError, type Log } from '../../kernel/index.ts';
import { cannotListen, type ListenAddress } from './address.ts';
import type { Refusal } from './refusals.ts';
import { tlsContextOf } from './tls.ts';

export interface HttpsLimits {
  /** Open at once. */
  readonly connections: number;
  readonly connectionsPerPeer: number;
  /** Milliseconds in which a TLS handshake must end. */
  readonly handshakeTimeout: number;
  /** Milliseconds in which a request must have arrived. */
  readonly requestTimeout: number;
}

export interface HttpsListenerOptions {
  readonly address: ListenAddress;
  readonly certificates: ServingCertificateSource;
  readonly limits: HttpsLimits;
  /** Whether a client certificate is asked for; whoever has none is let in, for the handler to judge. */
  readonly requestCertificate: boolean;
  /** PEM: whose certificates clients are asked for; by default the bundle's. Asked again at each new certificate. */
  readonly clientAuthorities?: (() => string) | undefined;
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void;
  readonly refuse: (refusal: Omit<Refusal, 'notable'>) => void;
  readonly log: Log;
}

export interface HttpsListener {
  readonly port: number;
  close(): Promise<void>;
}

const idleConnection = 60_000;

/**
 * HTTP/1.1 over TLS with the server's own certificate, which it follows without a restart, within limits on connections,
 * handshakes and requests.
 * @throws CitadelError FailedPrecondition when the port is in use or must not be opened
 */
export async function startHttpsListener(options: HttpsListenerOptions): Promise<HttpsListener> {
  const { address, certificates, clientAuthorities, limits, refuse, log } = options;
  // Not by import, which would load Node's WebSocket too: see src/api/http/monitoring.ts.
  const { createServer } = process.getBuiltinModule('node:https');
  let authorities = clientAuthorities?.();
  const context = () => tlsContextOf(certificates.current(), authorities);
  const server = createServer(
    {
      ...context(),
      requestCert: options.requestCertificate,
      // A caller without a certificate is told so, which a broken handshake would not.
      rejectUnauthorized: false,
      handshakeTimeout: limits.handshakeTimeout,
      maxHeaderSize: 16_384,
      headersTimeout: Math.min(5_000, limits.requestTimeout),
      requestTimeout: limits.requestTimeout,
      keepAliveTimeout: idleConnection,
      connectionsCheckingInterval: Math.min(1_000, limits.requestTimeout),
    },
    options.onRequest,
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
      authorities = clientAuthorities?.();
    } catch (error) {
      log.warn('whose certificates clients are asked for cannot be read; it stays as it was', {
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
  server: Server,
  { connectionsPerPeer }: HttpsLimits,
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
