import { createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { createApplication } from './http-application.ts';

/** One program that speaks what services speak: HTTP/1.1 and WebSocket, HTTP/2, and bytes. All of it is echo. */
export interface Application extends AsyncDisposable {
  readonly http: number;
  readonly http2: number;
  readonly tcp: number;
}

export async function startApplication(): Promise<Application> {
  const http = createApplication((request, response) => response.end(`http ${request.url ?? ''}`));
  http.on('upgrade', (_request, socket) => {
    // Frames are bytes to a proxy; what comes goes back.
    socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n');
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  });
  const http2 = createHttp2Server((request, response) => response.end(`http2 ${request.url}`));
  const tcp = createTcpServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  });
  const ports = await Promise.all([http, http2, tcp].map(listen));
  return {
    http: ports[0] ?? 0,
    http2: ports[1] ?? 0,
    tcp: ports[2] ?? 0,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections();
      for (const server of [http, http2, tcp]) server.close();
    },
  };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A server that listens on an address has one of this form.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return (server.address() as AddressInfo).port;
}
