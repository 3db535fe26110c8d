import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import type { ServiceError } from '@grpc/grpc-js';
import type { TestServer } from './server.ts';

/** The error that a call ended with; undefined when it went well. */
export function caught(call: Promise<unknown>): Promise<ServiceError | undefined> {
  return call.then(
    () => undefined,
    (error: ServiceError) => error,
  );
}

/** A TLS connection to the CSR port whose handshake is done. */
export async function connectTls({ app }: TestServer, protocols = ['h2']): Promise<TLSSocket> {
  const socket = connect({
    host: '127.0.0.1',
    port: app.csr.port,
    servername: 'localhost',
    ca: app.authority.bundle().pem,
    ALPNProtocols: protocols,
  });
  await once(socket, 'secureConnect');
  return socket;
}

async function get({ app }: TestServer, path: string): Promise<{ status: number; text: string }> {
  const reply = await fetch(`http://127.0.0.1:${app.monitoring.address.port}${path}`);
  return { status: reply.status, text: await reply.text() };
}

export const readyz = (server: TestServer) => get(server, '/readyz?verbose');

/** A sample's value by its name and labels as they are written; undefined where there is none. */
export async function sample(server: TestServer, name: string): Promise<number | undefined> {
  const { text } = await get(server, '/metrics');
  const line = text.split('\n').find((each) => each.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}
