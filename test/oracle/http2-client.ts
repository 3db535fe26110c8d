import { type ClientHttp2Session, connect } from 'node:http2';
import type { Socket } from 'node:net';
import { closed, type RawReply, type RawRequest } from './client.ts';

/**
 * Requests that no HTTP client would write, one behind the other, by HTTP/2. Envoy ends a connection on which something
 * comes that is no request; that stands for an answer of 400 to the first request of a connection.
 */
export async function exchangeAllHttp2(
  open: () => Promise<Socket>,
  requests: readonly RawRequest[],
): Promise<readonly RawReply[]> {
  const replies: RawReply[] = [];
  while (replies.length < requests.length) {
    const before = replies.length;
    await oneConnection(await open(), requests, replies);
    if (replies.length === before) replies.push({ status: 400, headers: new Map() });
  }
  return replies;
}

async function oneConnection(
  socket: Socket,
  requests: readonly RawRequest[],
  replies: RawReply[],
): Promise<void> {
  // The types do not know yet that a header may come twice.
  const options = { createConnection: () => socket, strictSingleValueFields: false };
  const session = connect('http://oracle.test', options);
  session.on('error', () => session.destroy());
  for (const request of requests.slice(replies.length)) {
    const reply = await exchange(session, request);
    if (reply === undefined) break;
    replies.push(reply);
  }
  session.destroy();
  await closed(socket);
}

/** Nothing where the connection ended before its reply came. */
function exchange(session: ClientHttp2Session, request: RawRequest): Promise<RawReply | undefined> {
  if (session.closed || session.destroyed) return Promise.resolve(undefined);
  return new Promise((resolve, reject) => {
    const stream = session.request(fields(request));
    let reply: RawReply | undefined;
    stream.setTimeout(60_000, () => reject(new Error(`no reply to ${JSON.stringify(request)}`)));
    stream.on('response', ({ ':status': status = 0, ...headers }) => {
      reply = {
        status,
        headers: new Map(Object.entries(headers).map(([name, value]) => [name, String(value)])),
      };
    });
    stream.on('error', () => stream.destroy());
    stream.on('close', () => resolve(reply));
    stream.resume();
    stream.end();
  });
}

function fields({ method, path, host, otherHost, headers }: RawRequest): string[] {
  return [
    ':method',
    method,
    ':path',
    path,
    ':scheme',
    'http',
    ':authority',
    host,
    ...(otherHost === undefined ? [] : ['host', otherHost]),
    ...headers.flatMap(([name, value]) => [name.toLowerCase(), value]),
  ];
}
