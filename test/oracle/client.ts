import { once } from 'node:events';
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import type { Connection } from './generate/index.ts';

export interface RawReply {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
}

export interface Credentials {
  readonly keyPem: string;
  readonly chainPem: string;
}

const contexts = new WeakMap<Credentials, SecureContext>();

export async function open(
  to: Connection,
  credentials: Credentials | undefined,
  host = to.destinationIp,
): Promise<Socket> {
  const plain = connectPlain({ host, port: to.port, localAddress: to.sourceIp, noDelay: true });
  // A refusal may be a reset, at any moment; what ends a connection is for its user to see, by `close`.
  plain.on('error', () => plain.destroy());
  if (!to.tls) {
    await once(plain, 'connect');
    return plain;
  }
  const secure = connectTls({
    socket: plain,
    rejectUnauthorized: false,
    ...(to.sni === undefined ? {} : { servername: to.sni }),
    ...(credentials === undefined ? {} : { secureContext: contextOf(credentials) }),
  });
  secure.on('error', () => secure.destroy());
  await once(secure, 'secureConnect');
  return secure;
}

function contextOf(credentials: Credentials): SecureContext {
  const known = contexts.get(credentials);
  if (known !== undefined) return known;
  const context = createSecureContext({ key: credentials.keyPem, cert: credentials.chainPem });
  contexts.set(credentials, context);
  return context;
}

/** Unlike events.once it takes an error for an end. */
export function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });
}

export interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  /** In the place of the one that does not count. */
  readonly otherHost: string | undefined;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

function written({ method, path, host, otherHost, headers }: RawRequest): string {
  const target = otherHost === undefined ? path : `http://${host}${path}`;
  const lines = headers.map(([name, value]) => `${name}: ${value}`);
  return [`${method} ${target} HTTP/1.1`, `Host: ${otherHost ?? host}`, ...lines, '', ''].join('\r\n');
}

/** Requests that no HTTP client would write, one behind the other; a connection that is closed is opened again. */
export async function exchangeAll(
  connect: () => Promise<Socket>,
  requests: readonly RawRequest[],
): Promise<readonly RawReply[]> {
  const replies: RawReply[] = [];
  let fruitless = 0;
  while (replies.length < requests.length) {
    const before = replies.length;
    await oneConnection(await connect(), requests, replies);
    fruitless = replies.length === before ? fruitless + 1 : 0;
    if (fruitless > 2) throw new Error(`no reply to ${JSON.stringify(requests[before])}`);
  }
  return replies;
}

/** One behind the other: Envoy ends connections on which requests come before it has answered the last. */
async function oneConnection(
  socket: Socket,
  requests: readonly RawRequest[],
  replies: RawReply[],
): Promise<void> {
  let pending = '';
  let silent = false;
  const next = () => {
    const request = requests[replies.length];
    if (request === undefined) socket.destroy();
    else socket.write(written(request), 'latin1');
  };
  socket.on('data', (chunk: Buffer) => {
    pending += chunk.toString('latin1');
    const parsed = parseReply(pending, requests[replies.length]?.method === 'HEAD');
    if (parsed === undefined) return;
    pending = pending.slice(parsed.length);
    replies.push(parsed.reply);
    if (parsed.reply.headers.get('connection') === 'close') socket.destroy();
    else next();
  });
  socket.setTimeout(60_000, () => {
    silent = true;
    socket.destroy();
  });
  next();
  await closed(socket);
  if (silent)
    throw new Error(`no reply to ${JSON.stringify(requests[replies.length])}; there came ${pending}`);
}

function parseReply(text: string, head: boolean): { reply: RawReply; length: number } | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const [first = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    }),
  );
  const length = head ? end + 4 : bodyEnd(text, end + 4, headers);
  if (length === undefined || text.length < length) return undefined;
  return { reply: { status: Number(first.split(' ')[1]), headers }, length };
}

/** Of the bodies that come here: none, of a known length, or in chunks whose last is empty. */
function bodyEnd(text: string, start: number, headers: ReadonlyMap<string, string>): number | undefined {
  if (headers.get('transfer-encoding') !== 'chunked')
    return start + Number(headers.get('content-length') ?? '0');
  const last = text.startsWith('0\r\n\r\n', start) ? start : text.indexOf('\r\n0\r\n\r\n', start) + 2;
  return last < start ? undefined : last + 5;
}
