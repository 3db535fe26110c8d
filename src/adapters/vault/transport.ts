import type { IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { readAtMost } from '../../kernel/index.ts';

// Not by import: that reads every export of node:http, and so loads its WebSocket, some 5 MiB.
const { Agent: HttpAgent, request: httpRequest } = process.getBuiltinModule('node:http');

/** What node-vault asks of its HTTP library; `signal` is ours. */
export interface TransportRequest {
  readonly method: string;
  readonly uri: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly signal?: AbortSignal;
}

export interface TransportResponse {
  readonly statusCode: number;
  readonly body: unknown;
  readonly request: { readonly path: string };
}

export interface Transport {
  send(request: TransportRequest): Promise<TransportResponse>;
  close(): void;
}

/** An answer larger than what Vault has to say to us. */
export class ResponseTooLarge extends Error {}

const connections = 8;
const largestResponse = 1024 * 1024;

/**
 * The HTTP that node-vault speaks here in place of its own axios: bounded answers and connections, a signal for each call,
 * no proxy or trust from environment variables, and no redirects, which would carry the token to another host.
 */
export function createTransport(ca: string | undefined): Transport {
  const pool = { keepAlive: true, maxSockets: connections, keepAliveMsecs: 10_000, timeout: 60_000 };
  const plain = new HttpAgent(pool);
  const secure = new HttpsAgent({ ...pool, minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) });
  return {
    async send({ method, uri, headers = {}, json, signal }) {
      const url = new URL(uri);
      const body = json === undefined || json === true ? undefined : Buffer.from(JSON.stringify(json));
      const options = {
        method,
        headers: {
          ...headers,
          accept: 'application/json',
          ...(body ? { 'content-type': 'application/json', 'content-length': String(body.length) } : {}),
        },
        ...(signal ? { signal } : {}),
      };
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        const request =
          url.protocol === 'https:'
            ? httpsRequest(url, { ...options, agent: secure, rejectUnauthorized: true })
            : httpRequest(url, { ...options, agent: plain });
        request.once('response', resolve);
        request.on('error', reject);
        request.end(body);
      });
      return {
        statusCode: response.statusCode ?? 0,
        body: await readJson(response),
        request: { path: url.pathname },
      };
    },
    close() {
      plain.destroy();
      secure.destroy();
    },
  };
}

/** The parsed body; undefined when it is empty or not JSON, which a proxy's error page is not. */
async function readJson(response: IncomingMessage): Promise<unknown> {
  const body = await readAtMost(response, largestResponse);
  if (!body) throw new ResponseTooLarge('the answer is above 1 MiB');
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
