import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { type Agent, request as httpsRequest } from 'node:https';

export interface HttpCall {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** A Unix socket to call instead of the URL's host. */
  readonly socketPath?: string;
  /** Trust and keep-alive for https. */
  readonly agent?: Agent;
  /** Milliseconds for the whole exchange; 30 000 by default. */
  readonly deadline?: number;
}

export interface HttpReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A reply of status 400 or above where success was asked for. */
export class HttpStatusError extends Error {
  override readonly name = 'HttpStatusError';
  readonly status: number;
  readonly body: string;

  constructor(what: string, reply: HttpReply) {
    super(`${what}: ${reply.status} ${reply.body.slice(0, 2_000)}`);
    this.status = reply.status;
    this.body = reply.body;
  }
}

/** One HTTP exchange on node:http(s), since fetch can take neither a Unix socket nor a CA. Any status is an answer. */
export async function exchange(url: string, call: HttpCall = {}): Promise<HttpReply> {
  const { method = 'GET', headers = {}, body, socketPath, agent, deadline = 30_000 } = call;
  const send = url.startsWith('https:') ? httpsRequest : httpRequest;
  return await new Promise<HttpReply>((resolve, reject) => {
    const request = send(url, {
      method,
      headers:
        body === undefined ? headers : { ...headers, 'content-length': String(Buffer.byteLength(body)) },
      signal: AbortSignal.timeout(deadline),
      ...(socketPath === undefined ? {} : { socketPath }),
      ...(agent === undefined ? {} : { agent }),
    });
    request.once('error', reject);
    request.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
      });
    });
    request.end(body);
  });
}
