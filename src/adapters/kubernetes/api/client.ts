import type { IncomingMessage } from 'node:http';
import {
  backoffDelay,
  CitadelError,
  type Clock,
  describeError,
  type Entropy,
  isCitadelError,
} from '../../../kernel/index.ts';
import type { ClusterAccess } from '../access/index.ts';
import { type ApiRequest, exchange, open } from './exchange.ts';
import { field, text } from './json.ts';
import { retryAfter } from './retry-after.ts';

export interface ApiClientOptions {
  readonly access: ClusterAccess;
  /** Milliseconds for one call, all its attempts and waits together. */
  readonly timeout: number;
  readonly clock: Clock;
  readonly entropy: Entropy;
}

/** A final answer: a success, or a refusal that the same request would meet again. */
export interface ApiReply {
  readonly status: number;
  /** The parsed JSON; for a refusal a `Status` object (meta/v1). */
  readonly body: unknown;
}

/**
 * How a stream came to an end: `ended` by the server in its time, `gone` when the version asked for is no longer kept
 * (410), `broken` by the network, an abort or a server that could not serve for now: `reason` says which.
 */
export interface StreamEnd {
  readonly kind: 'ended' | 'gone' | 'broken';
  readonly reason: string;
}

const attempts = 4;
const backoff = { baseMilliseconds: 100, maximumMilliseconds: 2000 };
const replyLimit = 16 * 1024 * 1024;
const lineLimit = 4 * 1024 * 1024;
/** Answers that say nothing about the request itself. */
const transient: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** Calls one API server: JSON in and out, size and time limited, transient failures retried within the deadline. */
export class ApiClient {
  readonly #options: ApiClientOptions;

  constructor(options: ApiClientOptions) {
    this.#options = options;
  }

  /**
   * Repeats throttled (429, by its Retry-After), failed (5xx) and broken exchanges with full jitter. All our requests
   * may be repeated: a create that was done after all is answered 409.
   * @throws CitadelError Unavailable when no final answer came in time or before `signal` was aborted,
   *   ResourceExhausted when the answer is too long: asking again would bring the same
   */
  async request(request: ApiRequest, signal: AbortSignal): Promise<ApiReply> {
    const { clock, entropy, timeout } = this.#options;
    const deadline = clock.now().getTime() + timeout;
    const timer = AbortSignal.timeout(timeout);
    const within = AbortSignal.any([signal, timer]);
    for (let attempt = 0; ; attempt += 1) {
      const outcome = await this.#attempt(request, within);
      if ('reply' in outcome) return outcome.reply;
      const wait = Math.max(outcome.wait, backoffDelay(attempt, backoff, entropy));
      const late = clock.now().getTime() + wait >= deadline;
      if (within.aborted || late || attempt + 1 >= attempts) throw unavailable(outcome.reason);
      try {
        await clock.sleep(wait, within);
      } catch {
        throw unavailable(outcome.reason);
      }
    }
  }

  async #attempt(
    request: ApiRequest,
    signal: AbortSignal,
  ): Promise<{ reply: ApiReply } | { wait: number; reason: string }> {
    const { access, clock } = this.#options;
    try {
      const raw = await exchange(access.server, await access.credentials(), request, signal, replyLimit);
      if (transient.has(raw.status)) {
        const wait = retryAfter(raw.headers['retry-after'], clock.now());
        return { wait, reason: `HTTP ${raw.status}: ${raw.text.slice(0, 300)}` };
      }
      return { reply: { status: raw.status, body: parseJson(raw.text) } };
    } catch (error) {
      if (isCitadelError(error, 'ResourceExhausted')) throw error;
      return { wait: 0, reason: describeError(error) };
    }
  }

  /**
   * The objects of a streamed answer (a watch), one a line.
   * @param opened called as soon as the server has let the stream begin, before there is any object
   * @throws CitadelError Unavailable when the stream is refused for what it asks
   */
  async *stream(
    request: ApiRequest,
    signal: AbortSignal,
    opened: () => void = () => {},
  ): AsyncGenerator<unknown, StreamEnd> {
    const { access, timeout } = this.#options;
    // The headers come at once, also where nothing happens: a server that is silent before them is away.
    const silent = new AbortController();
    const timer = setTimeout(() => silent.abort(), timeout);
    let response: IncomingMessage;
    try {
      const within = AbortSignal.any([signal, silent.signal]);
      response = await open(access.server, await access.credentials(), request, within);
    } catch (error) {
      return broken(silent.signal.aborted ? `no answer within ${timeout} ms` : describeError(error));
    } finally {
      clearTimeout(timer);
    }
    const status = response.statusCode ?? 0;
    if (status !== 200) {
      response.destroy();
      if (status === 410) return { kind: 'gone', reason: 'HTTP 410' };
      if (transient.has(status)) return broken(`HTTP ${status}`);
      throw unavailable(`HTTP ${status} for a watch of ${request.path}`);
    }
    opened();
    let rest = '';
    response.setEncoding('utf8');
    try {
      for await (const chunk of response as AsyncIterable<string>) {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        if (rest.length > lineLimit) return broken('an object is too long');
        for (const line of lines) if (line !== '') yield parseJson(line);
      }
    } catch (error) {
      return broken(describeError(error));
    }
    if (rest !== '') yield parseJson(rest);
    return { kind: 'ended', reason: '' };
  }
}

const broken = (reason: string): StreamEnd => ({ kind: 'broken', reason });

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}

function unavailable(details: string): CitadelError {
  return new CitadelError('Unavailable', 'the Kubernetes API server cannot be asked now; try again', {
    details,
  });
}

/** What to throw at an answer that was not foreseen: most often a right that our service account lacks. */
export function unexpectedReply(what: string, reply: ApiReply): CitadelError {
  const reason = text(reply.body, 'reason') ?? '';
  const message = (text(reply.body, 'message') ?? '').slice(0, 500);
  return new CitadelError(
    'Unavailable',
    'the Kubernetes API server did not do what was asked; the server log has why',
    {
      details: `${what}: HTTP ${reply.status} ${reason}: ${message}`,
    },
  );
}

/** Whether the API server refuses to create because the namespace is on its way out. */
export function isNamespaceTerminating(reply: ApiReply): boolean {
  const causes = field(reply.body, 'details', 'causes');
  return (
    reply.status === 403 &&
    Array.isArray(causes) &&
    causes.some((cause) => text(cause, 'reason') === 'NamespaceTerminating')
  );
}
