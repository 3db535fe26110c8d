import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { CitadelError } from '../../../kernel/index.ts';
import type { AccessCredentials } from '../access/index.ts';

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below the server's URL; its segments are percent-encoded already. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** `application/json` by default. */
  readonly contentType?: string;
}

export interface RawReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Sends one request and gives the response as soon as its headers are there. Rejects when no response comes. */
export async function open(
  server: string,
  { headers, agent }: AccessCredentials,
  request: ApiRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const url = new URL(server + request.path);
  for (const [name, value] of Object.entries(request.query ?? {})) url.searchParams.set(name, value);
  const body = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body));
  const content =
    body === undefined
      ? {}
      : { 'content-type': request.contentType ?? 'application/json', 'content-length': body.length };
  return await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = httpsRequest(url, {
      method: request.method,
      agent,
      signal,
      headers: { ...headers, ...content, accept: 'application/json', 'user-agent': 'citadel' },
    });
    sent.once('response', resolve);
    // Stays for the whole exchange: an abort after the headers is an `error` here as well.
    sent.on('error', reject);
    sent.end(body);
  });
}

/**
 * Sends one request and reads the whole answer.
 * @throws CitadelError ResourceExhausted when it is longer than `limit` bytes
 */
export async function exchange(
  server: string,
  credentials: AccessCredentials,
  request: ApiRequest,
  signal: AbortSignal,
  limit: number,
): Promise<RawReply> {
  const response = await open(server, credentials, request, signal);
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limit) {
      throw new CitadelError('ResourceExhausted', 'the Kubernetes API server answers too much at once', {
        details: `the answer to ${request.path} is longer than ${limit} bytes`,
      });
    }
    chunks.push(chunk);
  }
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text: Buffer.concat(chunks).toString('utf8'),
  };
}
