import type { IncomingMessage, ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { Metrics } from '../../domain/ports/index.ts';
import {
  CitadelError,
  describeError,
  type ErrorCode,
  type Log,
  Secret,
  toCitadelError,
} from '../../kernel/index.ts';
import {
  type BodyFailure,
  ByteBudget,
  createRateLimiter,
  type Refusal,
  rememberedPeers,
  withBody,
} from '../listen/index.ts';
import { readCookie, writeCookie } from './cookies.ts';
import { forgery, isNavigation, strangeHost } from './guard.ts';
import { callHeaders, pageHeaders } from './headers.ts';
import type { Pages } from './pages.ts';
import { type ConsoleCall, type ConsoleReply, findRoute } from './route.ts';
import { consoleRoutes } from './routes.ts';
import type { ConsoleServices } from './services.ts';

export interface ConsoleHandlerOptions {
  readonly services: ConsoleServices;
  readonly pages: Pages;
  /** As browsers write it: `https://HOST`, with the port unless it is 443. */
  readonly origin: string;
  readonly requestBytes: number;
  /** Of the bodies of all requests together. */
  readonly bytesInFlight: number;
  readonly callsPerSecondPerPeer: number;
  readonly metrics: Metrics;
  readonly refuse: (refusal: Omit<Refusal, 'notable'>) => void;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  readonly log: Log;
}

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string | Uint8Array;
}

const home = '/console/';
const api = '/console/api/';
const callback = '/console/signed-in';
const longestUrl = 8_192;
/** Of one address: a sign-in asks the provider, and each is recorded. */
const signIns = { perSecond: 1, burst: 40, keys: rememberedPeers };
const replyTimeout = 60_000;

/** One request: the cheap reasons to refuse come first, and a body is read only where an answer is possible. */
export function createConsoleHandler(
  options: ConsoleHandlerOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const { services, pages, origin, requestBytes, callsPerSecondPerPeer, metrics, refuse, now, log } = options;
  const { sessions } = services;
  const routes = consoleRoutes(services);
  const budget = new ByteBudget(options.bytesInFlight);
  const calls = createRateLimiter({
    perSecond: callsPerSecondPerPeer,
    burst: Math.max(1, callsPerSecondPerPeer) * 2,
    keys: rememberedPeers,
  });
  const attempts = createRateLimiter(signIns);
  const redirectUri = `${origin}${callback}`;

  async function answer(request: IncomingMessage, signal: AbortSignal): Promise<Reply | undefined> {
    const peer = request.socket.remoteAddress ?? 'unknown';
    const url = request.url ?? '';
    const [path = '', query = ''] = url.split('?', 2);
    if (url.length > longestUrl) return failure(414, 'InvalidArgument', 'the address is too long');
    if (strangeHost(request, origin))
      return failure(421, 'InvalidArgument', 'the console has another name: console.origin says which');
    if (!calls.take(peer, now())) {
      refuse({ kind: 'rate', peer, method: path.startsWith(api) ? path : home });
      return failure(429, 'ResourceExhausted', 'too many calls of this address; try again in a moment');
    }
    if (path.startsWith(api)) return await call(request, path.slice(api.length), peer, signal);
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return failure(405, 'InvalidArgument', 'only GET and HEAD', { allow: 'GET, HEAD' });
    if (path === callback) return await signedIn(request, new URLSearchParams(query), peer);
    if (path === '/' || path === '/console') return redirect(home);
    return page(request, path);
  }

  async function call(
    request: IncomingMessage,
    path: string,
    peer: string,
    signal: AbortSignal,
  ): Promise<Reply | undefined> {
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
      const read = request.method === 'POST' ? await readBody(request) : { body: {} };
      if (typeof read === 'string') return bodyFailure(read, peer, path);
      const given: ConsoleCall = { ...proof, ...read, names, redirectUri, signal };
      const reply = await (route.needs === 'nobody'
        ? route.answer(given)
        : route.answer(given, admitted ?? notAdmitted()));
      metrics.operatorCall(`console ${route.route}`, 'OK');
      return json(reply);
    } catch (error) {
      metrics.operatorCall(`console ${route.route}`, toCitadelError(error).code);
      return thrown(error);
    }
  }

  async function readBody(
    request: IncomingMessage,
  ): Promise<{ readonly body: unknown } | BodyFailure | 'type'> {
    if (!isJson(request)) return 'type';
    return await withBody(request, requestBytes, budget, (bytes) => ({ body: parseJson(bytes) }));
  }

  function bodyFailure(what: BodyFailure | 'type', peer: string, path: string): Reply | undefined {
    switch (what) {
      case 'type':
        return failure(415, 'InvalidArgument', 'only application/json, as it is');
      case 'large':
        refuse({ kind: 'incomplete', peer, method: `${api}${path}` });
        return failure(413, 'InvalidArgument', `more than ${requestBytes} bytes; use citadel policy apply`);
      case 'full':
        refuse({ kind: 'rate', peer, method: `${api}${path}` });
        return failure(503, 'Unavailable', 'too much is asked at once; try again in a moment');
      case 'broken':
        refuse({ kind: 'incomplete', peer, method: `${api}${path}` });
        return undefined;
    }
  }

  /** Where the provider sends the browser back. What went wrong is told by the page, in its own words. */
  async function signedIn(request: IncomingMessage, query: URLSearchParams, peer: string): Promise<Reply> {
    const back = (failed: ErrorCode | undefined, cookies: readonly string[]) =>
      redirect(failed === undefined ? home : `${home}#sign-in=${failed}`, [
        ...cookies,
        writeCookie('signIn', undefined),
      ]);
    if (!isNavigation(request) || !attempts.take(peer, now())) return back('ResourceExhausted', []);
    const one = (name: string) =>
      query.getAll(name).length === 1 ? (query.get(name) ?? undefined) : undefined;
    const code = one('code');
    const given = {
      state: one('state'),
      code: code === undefined ? undefined : new Secret(code),
      error: query.get('error') ?? undefined,
      issuer: query.get('iss') ?? undefined,
    };
    try {
      const before = readCookie(request.headers, 'session');
      const { token } = await sessions.finishSignIn(
        readCookie(request.headers, 'signIn'),
        given,
        redirectUri,
      );
      if (before) await sessions.signOut(before);
      return back(undefined, [writeCookie('session', token)]);
    } catch (error) {
      const { code: why, message, cause } = toCitadelError(error);
      log.warn('a sign-in to the console failed', {
        reason: message,
        ...(cause === undefined ? {} : { cause: describeError(cause) }),
      });
      return back(why, []);
    }
  }

  function page(request: IncomingMessage, path: string): Reply {
    const file = path.startsWith(home) ? pages.get(path.slice(home.length)) : undefined;
    if (!file) return failure(404, 'NotFound', `not here; the console is at ${home}`);
    const headers = { ...pageHeaders, 'content-type': file.type, etag: file.etag, vary: 'accept-encoding' };
    if (request.headers['if-none-match'] === file.etag) return { status: 304, headers, body: '' };
    const zips = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
    return zips
      ? { status: 200, headers: { ...headers, 'content-encoding': 'gzip' }, body: file.zipped }
      : { status: 200, headers, body: file.body };
  }

  function thrown(error: unknown): Reply {
    const { code, message } = toCitadelError(error);
    if (code === 'Internal') log.error('a call of the console failed', { cause: describeError(error) });
    const ended = code === 'Unauthenticated' ? { 'set-cookie': [writeCookie('session', undefined)] } : {};
    return failure(statuses[code], code, message, ended);
  }

  return async (request, response) => {
    let reply: Reply | undefined;
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    try {
      reply = await answer(request, gone.signal);
    } catch (error) {
      reply = thrown(error);
    }
    if (!reply || response.destroyed) return;
    response.writeHead(reply.status, {
      ...reply.headers,
      ...(reply.status === 304 ? {} : { 'content-length': Buffer.byteLength(reply.body) }),
      // What is left of a body that was not read must not be taken for the next request.
      ...(request.complete ? {} : { connection: 'close' }),
    });
    const slow = setTimeout(() => response.destroy(), replyTimeout).unref();
    response.once('close', () => clearTimeout(slow));
    response.end(request.method === 'HEAD' ? undefined : reply.body);
  };
}

const statuses: Readonly<Record<ErrorCode, number>> = {
  Cancelled: 499,
  Unknown: 500,
  InvalidArgument: 400,
  DeadlineExceeded: 504,
  NotFound: 404,
  AlreadyExists: 409,
  PermissionDenied: 403,
  ResourceExhausted: 429,
  FailedPrecondition: 412,
  Aborted: 409,
  OutOfRange: 400,
  Unimplemented: 501,
  Internal: 500,
  Unavailable: 503,
  DataLoss: 500,
  Unauthenticated: 401,
};

function json({ body, cookies }: ConsoleReply): Reply {
  return {
    status: 200,
    headers: {
      ...callHeaders,
      'content-type': 'application/json',
      ...(cookies ? { 'set-cookie': cookies } : {}),
    },
    body: JSON.stringify(body),
  };
}

function failure(
  status: number,
  code: ErrorCode,
  message: string,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
): Reply {
  return {
    status,
    headers: { ...callHeaders, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ error: { code, message } }),
  };
}

function redirect(location: string, cookies: readonly string[] = []): Reply {
  return { status: 303, headers: { ...callHeaders, location, 'set-cookie': cookies }, body: '' };
}

function notAdmitted(): never {
  throw new CitadelError('Internal', 'a caller was not looked at');
}

/** DER; that its key is there was shown in the handshake, all else is judged by who takes it. */
function certificateOf({ socket }: IncomingMessage): Uint8Array | undefined {
  return socket instanceof TLSSocket ? socket.getPeerX509Certificate()?.raw : undefined;
}

function isJson({ headers }: IncomingMessage): boolean {
  return (
    headers['content-type']?.toLowerCase() === 'application/json' && headers['content-encoding'] === undefined
  );
}

/** @throws CitadelError InvalidArgument */
function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch {
    throw new CitadelError('InvalidArgument', 'the body is no JSON');
  }
}
