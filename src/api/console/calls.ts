import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { Metrics } from '../../domain/ports/index.ts';
import { CitadelError, type Log, toCitadelError } from '../../kernel/index.ts';
import { ByteBudget, type HttpReply, type RateLimiter, type Refusal, withJsonBody } from '../listen/index.ts';
import { readCookie } from './cookies.ts';
import { forgery } from './guard.ts';
import { failure, json, thrown } from './replies.ts';
import { type ConsoleCall, findRoute } from './route.ts';
import { consoleRoutes } from './routes.ts';
import type { ConsoleServices } from './services.ts';

/** Where the calls of the page are. */
export const api = '/console/api/';

export interface ConsoleCallsOptions {
  readonly services: ConsoleServices;
  /** As browsers write it: `https://HOST`, with the port unless it is 443. */
  readonly origin: string;
  readonly requestBytes: number;
  /** Of the bodies of all requests together. */
  readonly bytesInFlight: number;
  readonly metrics: Metrics;
  readonly refuse: (refusal: Omit<Refusal, 'notable'>) => void;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  readonly log: Log;
}

interface Caller {
  readonly peer: string;
  /** Aborted when nobody waits for the reply any more. */
  readonly signal: AbortSignal;
}

/** @param redirectUri where the provider sends browsers back @param attempts bounds sign-ins of one address */
export function createConsoleCalls(
  options: ConsoleCallsOptions,
  redirectUri: string,
  attempts: RateLimiter,
): (request: IncomingMessage, path: string, caller: Caller) => Promise<HttpReply | undefined> {
  const { services, origin, requestBytes, metrics, refuse, now, log } = options;
  const { sessions } = services;
  const routes = consoleRoutes(services);
  const budget = new ByteBudget(options.bytesInFlight);

  return async (request, path, { peer, signal }) => {
    const found = findRoute(routes, request.method, path);
    if (found === undefined) return failure(404, 'NotFound', 'there is no such call');
    if (found === 'method') return failure(405, 'InvalidArgument', 'another method is needed');
    const forged = forgery(request, origin);
    if (forged !== undefined)
      return failure(403, 'PermissionDenied', `this call is not the console’s own: ${forged}`);
    const { route, names } = found;
    if (route.needs === 'nobody' && route.signsIn && !attempts.take(peer, now()))
      return failure(
        429,
        'ResourceExhausted',
        'too many try to sign in from this address; try again in a minute',
      );
    const proof = {
      session: readCookie(request.headers, 'session'),
      clientCertificate: certificateOf(request),
    };
    try {
      // Before the body: who may not call need not be read.
      const admitted = route.needs === 'nobody' ? undefined : await sessions.authorize(route.needs, proof);
      const read = request.method === 'POST' ? await readBody(request, peer, path) : { parsed: {} };
      if (!read || !('parsed' in read)) return read;
      const given: ConsoleCall = { ...proof, body: read.parsed, names, redirectUri, signal };
      const reply = await (route.needs === 'nobody'
        ? route.answer(given)
        : route.answer(given, admitted ?? notAdmitted()));
      metrics.operatorCall(`console ${route.route}`, 'OK');
      return json(reply);
    } catch (error) {
      metrics.operatorCall(`console ${route.route}`, toCitadelError(error).code);
      return thrown(error, log);
    }
  };

  function readBody(
    request: IncomingMessage,
    peer: string,
    path: string,
  ): Promise<{ readonly parsed: unknown } | HttpReply | undefined> {
    const reading = {
      limit: requestBytes,
      budget,
      refusal: (status: number, words: string) =>
        failure(
          status,
          status === 503 ? 'Unavailable' : 'InvalidArgument',
          status === 413 ? `${words}; use citadel policy apply` : words,
        ),
      onRefused: (kind: Refusal['kind']) => refuse({ kind, peer, method: api + path }),
    };
    return withJsonBody(request, reading, (bytes) => ({ parsed: parseJson(bytes) }));
  }
}

function notAdmitted(): never {
  throw new CitadelError('Internal', 'a caller was not looked at');
}

/** DER; that its key is there was shown in the handshake, all else is judged by who takes it. */
function certificateOf({ socket }: IncomingMessage): Uint8Array | undefined {
  return socket instanceof TLSSocket ? socket.getPeerX509Certificate()?.raw : undefined;
}

/** @throws CitadelError InvalidArgument */
function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch {
    throw new CitadelError('InvalidArgument', 'the body is no JSON');
  }
}
