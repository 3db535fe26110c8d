import type { IncomingMessage, ServerResponse } from 'node:http';

export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string | Uint8Array;
}

/** Milliseconds that a reader may take for a reply. */
const replyTimeout = 60_000;

/** Sends a whole reply; whoever does not read it has no connection for ever. */
export function sendReply(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body }: HttpReply,
  timeout = replyTimeout,
): void {
  if (response.destroyed) return;
  response.writeHead(status, {
    ...headers,
    // Of what has not changed it would have to be that of the whole.
    ...(status === 304 ? {} : { 'content-length': Buffer.byteLength(body) }),
    // What is left of a body that was not read must not be taken for the next request.
    ...(request.complete ? {} : { connection: 'close' }),
  });
  const slow = setTimeout(() => response.destroy(), timeout).unref();
  response.once('close', () => clearTimeout(slow));
  response.end(request.method === 'HEAD' ? undefined : body);
}
