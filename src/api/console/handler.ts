import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRateLimiter, type HttpReply, rememberedPeers, sendReply } from '../listen/index.ts';
import { api, type ConsoleCallsOptions, createConsoleCalls } from './calls.ts';
import { isNavigation, strangeHost } from './guard.ts';
import { pageHeaders } from './headers.ts';
import type { Pages } from './pages.ts';
import { failure, redirect, thrown } from './replies.ts';
import { finishSignIn, home } from './signed-in.ts';

export interface ConsoleHandlerOptions extends ConsoleCallsOptions {
  readonly pages: Pages;
  readonly callsPerSecondPerPeer: number;
}

const callback = '/console/signed-in';
const longestUrl = 8_192;
/** Of one address: a sign-in asks the provider, and each is recorded. */
const signIns = { perSecond: 1, burst: 40, keys: rememberedPeers };

/** One request: the cheap reasons to refuse come first, and a body is read only where an answer is possible. */
export function createConsoleHandler(
  options: ConsoleHandlerOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const { services, pages, origin, callsPerSecondPerPeer, refuse, now, log } = options;
  const calls = createRateLimiter({
    perSecond: callsPerSecondPerPeer,
    burst: Math.max(1, callsPerSecondPerPeer) * 2,
    keys: rememberedPeers,
  });
  const attempts = createRateLimiter(signIns);
  const redirectUri = `${origin}${callback}`;
  const call = createConsoleCalls(options, redirectUri, attempts);

  async function answer(request: IncomingMessage, signal: AbortSignal): Promise<HttpReply | undefined> {
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
    if (path.startsWith(api)) return await call(request, path.slice(api.length), { peer, signal });
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return failure(405, 'InvalidArgument', 'only GET and HEAD', { allow: 'GET, HEAD' });
    if (path === callback) {
      const isAdmitted = isNavigation(request) && attempts.take(peer, now());
      const { sessions } = services;
      return await finishSignIn(request, new URLSearchParams(query), {
        sessions,
        redirectUri,
        isAdmitted,
        log,
      });
    }
    if (path === '/' || path === '/console') return redirect(home);
    return page(pages, request, path);
  }

  return async (request, response) => {
    let reply: HttpReply | undefined;
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    try {
      reply = await answer(request, gone.signal);
    } catch (error) {
      reply = thrown(error, log);
    }
    if (reply) sendReply(request, response, reply);
  };
}

function page(pages: Pages, request: IncomingMessage, path: string): HttpReply {
  const file = path.startsWith(home) ? pages.get(path.slice(home.length)) : undefined;
  if (!file) return failure(404, 'NotFound', `not here; the console is at ${home}`);
  const headers = { ...pageHeaders, 'content-type': file.type, etag: file.etag, vary: 'accept-encoding' };
  if (request.headers['if-none-match'] === file.etag) return { status: 304, headers, body: '' };
  const zips = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
  return zips
    ? { status: 200, headers: { ...headers, 'content-encoding': 'gzip' }, body: file.zipped }
    : { status: 200, headers, body: file.body };
}
