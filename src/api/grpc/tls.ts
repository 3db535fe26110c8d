import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import type { ServingCertificateSource } from '../../domain/serving/index.ts';
import { cannotListen, type ListenAddress, tlsContextOf } from '../listen/index.ts';

export interface TlsListenerOptions {
  readonly address: ListenAddress;
  readonly certificates: ServingCertificateSource;
  /** Open at once; whoever comes above is cut off. */
  readonly connections: number;
  /** Milliseconds from the TCP connection to the end of the TLS handshake. */
  readonly handshakeTimeout: number;
  readonly onConnection: (socket: TLSSocket) => void;
  /** A connection was cut off, for there are too many. */
  readonly onDropped: (peer: string) => void;
}

export interface TlsListener {
  readonly port: number;
  /** Accepts no more; what is open stays open. */
  stopListening(): void;
  /** Waits until what is open has closed by itself, at most this long, and cuts the rest. */
  drain(milliseconds: number): Promise<void>;
}

/**
 * Accepts TLS connections for HTTP/2 by itself, for grpc-js has neither a limit on connections nor a deadline for
 * handshakes. Follows the serving certificate without a restart. A client certificate is asked for and not required:
 * callers with a token have none.
 * @throws CitadelError FailedPrecondition when the address cannot be listened on
 */
export async function startTlsListener(options: TlsListenerOptions): Promise<TlsListener> {
  const { certificates } = options;
  const server = createServer({
    ...tlsContextOf(certificates.current()),
    // Not by ALPNProtocols: of that Node keeps a copy for each connection, 8 bytes that hold fast 64 KiB of its pool.
    ALPNCallback: ({ protocols }) => (protocols.includes('h2') ? 'h2' : undefined),
    handshakeTimeout: options.handshakeTimeout,
    requestCert: true,
    rejectUnauthorized: false,
    noDelay: true,
  });
  server.maxConnections = options.connections;
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.on('drop', (dropped) => options.onDropped(dropped?.remoteAddress ?? 'unknown'));
  // A handshake that fails is the caller's affair; without this it would end the process.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  server.on('secureConnection', (socket) => {
    socket.on('error', () => socket.destroy());
    if (server.listening) options.onConnection(socket);
    else socket.destroy();
  });
  const { host, port } = options.address;
  try {
    server.listen({ host, port });
    await once(server, 'listening');
  } catch (error) {
    throw cannotListen(options.address, error);
  }
  const unfollow = certificates.onChange((certificate) => server.setSecureContext(tlsContextOf(certificate)));
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : port,
    stopListening() {
      unfollow();
      server.close();
    },
    async drain(milliseconds) {
      const cut = setTimeout(() => {
        for (const socket of open) socket.destroy();
      }, milliseconds);
      await Promise.all(
        [...open].map((socket) => new Promise<void>((resolve) => socket.once('close', () => resolve()))),
      );
      clearTimeout(cut);
    },
  };
}
