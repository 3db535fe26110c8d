import type { IncomingMessage, ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { PolicyJudgement } from '../../domain/policy/index.ts';
import { describeError, type Log } from '../../kernel/index.ts';
import { ByteBudget, type HttpReply, type Refusal, sendReply, withJsonBody } from '../listen/index.ts';
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

const webhookPath = '/validate';

/** One request: the cheap reasons to refuse come first, and the body is read only where an answer is possible. */
export function createWebhookHandler(
  options: WebhookHandlerOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const { clients, judge, requestBytes, refuse, now, log } = options;
  const budget = new ByteBudget(options.bytesInFlight);
  const strangers = createStrangers(options.callsPerSecondPerPeer, now);

  async function answer(request: IncomingMessage): Promise<HttpReply | undefined> {
    const peer = request.socket.remoteAddress ?? 'unknown';
    const refused = (kind: Refusal['kind'], reply: HttpReply): HttpReply => {
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
    const reading = {
      limit: requestBytes,
      budget,
      refusal: (status: number, words: string) =>
        plain(status, words, status === 503 ? { 'retry-after': '1' } : {}),
      onRefused: (kind: Refusal['kind']) => refuse({ kind, peer, method: webhookPath }),
    };
    return await withJsonBody(request, reading, (body) => {
      const started = now();
      const judged = review(body, (object) => judge(object, clients !== undefined));
      if (!clients) strangers.worked(peer, now() - started);
      return judged;
    });
  }

  return async (request, response) => {
    let reply: HttpReply | undefined;
    try {
      reply = await answer(request);
    } catch (error) {
      log.error('a question of admission could not be answered', { cause: describeError(error) });
      reply = plain(500, 'internal error; the server log has the cause');
    }
    if (reply) sendReply(request, response, reply);
  };
}

function review(body: Uint8Array, judge: (object: unknown) => PolicyJudgement): HttpReply {
  const question = readReview(body);
  if (typeof question === 'string') return plain(400, question);
  const answer = formatReview(question.uid, answerReview(question, judge));
  return replyOf(200, answer, { 'content-type': 'application/json' });
}

function plain(status: number, text: string, headers: Readonly<Record<string, string>> = {}): HttpReply {
  return replyOf(status, `${text}\n`, { 'content-type': 'text/plain; charset=utf-8', ...headers });
}

function replyOf(status: number, body: string, headers: Readonly<Record<string, string>>): HttpReply {
  const common = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
  return { status, body, headers: { ...common, ...headers } };
}
