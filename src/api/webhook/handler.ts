import type { IncomingMessage, ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { PolicyJudgement } from '../../domain/policy/index.ts';
import { describeError, type Log } from '../../kernel/index.ts';
import { ByteBudget, type Refusal, withBody } from '../listen/index.ts';
import { answerReview } from './answer.ts';
import { isClient, type WebhookClients } from './caller.ts';
import { formatReview, readReview } from './review.ts';
import { createStrangers } from './strangers.ts';

export interface WebhookHandlerOptions {
  /** Undefined: anybody may ask, and is told only what his own policy says. */
  readonly clients: WebhookClients | undefined;
  /** @param tellAll whether the author may be told what else there is in the mesh */
  readonly judge: (object: unknown, tellAll: boolean) => PolicyJudgement;
  readonly requestBytes: number;
  /** Of the bodies of all requests together. */
  readonly bytesInFlight: number;
  readonly callsPerSecondPerPeer: number;
  readonly refuse: (refusal: Omit<Refusal, 'notable'>) => void;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  readonly log: Log;
}

interface Reply {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const webhookPath = '/validate';

/** One request: the cheap reasons to refuse come first, and the body is read only where an answer is possible. */
export function createWebhookHandler(
  options: WebhookHandlerOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const { clients, judge, requestBytes, refuse, now, log } = options;
  const budget = new ByteBudget(options.bytesInFlight);
  const strangers = createStrangers(options.callsPerSecondPerPeer, now);

  async function answer(request: IncomingMessage): Promise<Reply | undefined> {
    const peer = request.socket.remoteAddress ?? 'unknown';
    const refused = (kind: Refusal['kind'], reply: Reply): Reply => {
      refuse({ kind, peer, method: webhookPath });
      return reply;
    };
    if (request.url?.split('?', 1)[0] !== webhookPath) return plain(404, `not here; there is ${webhookPath}`);
    if (request.method !== 'POST') return plain(405, 'only POST', { allow: 'POST' });
    if (clients && !(request.socket instanceof TLSSocket && isClient(request.socket, clients)))
      return refused(
        'client',
        plain(403, 'only an API server with a certificate that is known here may ask'),
      );
    if (!clients && !strangers.admit(peer))
      return refused('rate', plain(429, 'too many calls', { 'retry-after': '1' }));
    if (!isJson(request)) return plain(415, 'only application/json, as it is');
    const reply = await withBody(request, requestBytes, budget, (body) => {
      const started = now();
      const judged = review(body, (object) => judge(object, clients !== undefined));
      if (!clients) strangers.worked(peer, now() - started);
      return judged;
    });
    switch (reply) {
      case 'large':
        return refused('incomplete', plain(413, `more than ${requestBytes} bytes`));
      case 'full':
        return refused('rate', plain(503, 'too much is asked at once', { 'retry-after': '1' }));
      case 'broken':
        refuse({ kind: 'incomplete', peer, method: webhookPath });
        return undefined;
      default:
        return reply;
    }
  }

  return async (request, response) => {
    let reply: Reply | undefined;
    try {
      reply = await answer(request);
    } catch (error) {
      log.error('a question of admission could not be answered', { cause: describeError(error) });
      reply = plain(500, 'internal error; the server log has the cause');
    }
    if (!reply || response.destroyed) return;
    response.writeHead(reply.status, {
      'content-length': Buffer.byteLength(reply.body),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      // What is left of a body that was not read must not be taken for the next request.
      ...(request.complete ? {} : { connection: 'close' }),
      ...reply.headers,
    });
    response.end(reply.body);
  };
}

function review(body: Uint8Array, judge: (object: unknown) => PolicyJudgement): Reply {
  const question = readReview(body);
  if (typeof question === 'string') return plain(400, question);
  const answer = formatReview(question.uid, answerReview(question, judge));
  return { status: 200, body: answer, headers: { 'content-type': 'application/json' } };
}

function plain(status: number, text: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status, body: `${text}\n`, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers } };
}

function isJson({ headers }: IncomingMessage): boolean {
  const [type = ''] = (headers['content-type'] ?? '').split(';', 1);
  return type.trim().toLowerCase() === 'application/json' && headers['content-encoding'] === undefined;
}
