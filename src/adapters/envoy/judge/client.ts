import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { PolicyRequest } from '../../../domain/policy/index.ts';
import type { Credentials } from './identities.ts';

/** What Envoy made of a call: its status, or of a connection `open` or `closed`. */
export type Reply = number | 'open' | 'closed';

export interface Sent {
  /** Of Envoy's listener, on the loopback. */
  readonly port: number;
  readonly request: PolicyRequest;
  /** Undefined: in plaintext. */
  readonly credentials: Credentials | undefined;
  /** Beside those of the request. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** In the place of that of the request. */
  readonly path: string | undefined;
}

const patience = 30_000;
/** Long enough to be told from TLS at once. */
const greeting = 'Is anybody there?\n';

/** Makes one call, as a proxy's caller would, on a connection of its own. */
export async function send(sent: Sent): Promise<Reply> {
  const { sourceIp } = sent.request;
  const plain = connect({
    host: '127.0.0.1',
    port: sent.port,
    noDelay: true,
    // The connection's own end is one that this machine has.
    ...(sourceIp.startsWith('127.') ? { localAddress: sourceIp } : {}),
  });
  plain.on('error', () => plain.destroy());
  try {
    await once(plain, 'connect');
    plain.write(proxyLine(sent.request));
    const socket = sent.credentials ? await secured(plain, sent) : plain;
    return socket ? await exchange(socket, sent) : 'closed';
  } finally {
    plain.destroy();
  }
}

/** Version 1 of the PROXY protocol: both ends, of one family. */
function proxyLine({ sourceIp, destinationIp, destinationPort }: PolicyRequest): string {
  const family = isIP(sourceIp) === 6 ? 6 : 4;
  const other = family === 6 ? '2001:db8::1' : '192.0.2.2';
  const destination = isIP(destinationIp) === family ? destinationIp : other;
  return `PROXY TCP${family} ${sourceIp} ${destination} 40000 ${destinationPort}\r\n`;
}

async function secured(plain: Socket, { credentials, request: { sni } }: Sent): Promise<Socket | undefined> {
  const secure = connectTls({
    socket: plain,
    // It is our own, and its identity is nobody's.
    rejectUnauthorized: false,
    ...(sni === undefined ? {} : { servername: sni }),
    ...(credentials ? { key: credentials.keyPem, cert: credentials.chainPem } : {}),
  });
  secure.on('error', () => secure.destroy());
  const done = await Promise.race([
    once(secure, 'secureConnect').then(() => true),
    once(secure, 'close').then(() => false),
  ]);
  return done ? secure : undefined;
}

function exchange(socket: Socket, sent: Sent): Promise<Reply> {
  const { http } = sent.request;
  return new Promise((resolve, reject) => {
    let text = '';
    socket.setTimeout(patience, () => reject(new Error('Envoy gave no reply')));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (http === undefined) return resolve('open');
      const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
      if (status !== undefined) resolve(Number(status));
    });
    socket.once('close', () => resolve('closed'));
    socket.write(http === undefined ? greeting : written(sent, http), 'latin1');
  });
}

function written(
  { headers, path }: Sent,
  { method, path: own, host, headers: given }: NonNullable<PolicyRequest['http']>,
): string {
  const lines = [
    ...Object.entries(given).flatMap(([name, values]) => values.map((value) => [name, value] as const)),
    ...headers,
  ].map(([name, value]) => `${name}: ${value}`);
  return [`${method} ${path ?? own} HTTP/1.1`, `Host: ${host}`, ...lines, '', ''].join('\r\n');
}
