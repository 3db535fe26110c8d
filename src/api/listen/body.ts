import type { IncomingMessage } from 'node:http';
import type { Refusal } from './refusals.ts';

/** Bytes of bodies that are held at once, of all requests together. */
export class ByteBudget {
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#left += bytes;
  }
}

/**
 * `large`: more than the limit; `full`: others hold too much; `broken`: it did not come whole, and nobody is there to be
 * told.
 */
type BodyFailure = 'large' | 'full' | 'broken';

export interface BodyReading<R> {
  /** Bytes of one body. */
  readonly limit: number;
  readonly budget: ByteBudget;
  /** What is answered where the body is not read; `words` say why. */
  readonly refusal: (status: 413 | 415 | 503, words: string) => R;
  /** Called for each body that was too much, or did not come. */
  readonly onRefused: (kind: Refusal['kind']) => void;
}

/** What is made of a JSON body, or said in its place; undefined where nobody is there to be told. */
export async function withJsonBody<T, R>(
  request: IncomingMessage,
  { limit, budget, refusal, onRefused }: BodyReading<R>,
  use: (body: Uint8Array) => T,
): Promise<T | R | undefined> {
  if (!isJson(request)) return refusal(415, 'only application/json, as it is');
  const read = await withBody(request, limit, budget, (body) => ({ used: use(body) }));
  if (typeof read === 'object') return read.used;
  onRefused(read === 'full' ? 'rate' : 'incomplete');
  switch (read) {
    case 'large':
      return refusal(413, `more than ${limit} bytes`);
    case 'full':
      return refusal(503, 'too much is asked at once; try again in a moment');
    case 'broken':
      return undefined;
  }
}

function isJson({ headers }: IncomingMessage): boolean {
  const [type = ''] = (headers['content-type'] ?? '').split(';', 1);
  return type.trim().toLowerCase() === 'application/json' && headers['content-encoding'] === undefined;
}

/** Reads a body, of which nothing is trusted: neither its announced length nor that it ever ends. */
async function withBody<T>(
  request: IncomingMessage,
  limit: number,
  budget: ByteBudget,
  use: (body: Uint8Array) => T,
): Promise<T | BodyFailure> {
  if (Number(request.headers['content-length'] ?? 0) > limit) return 'large';
  const chunks: Buffer[] = [];
  let held = 0;
  try {
    // Its own iterator would end the connection where the loop is left, before an answer.
    const parts: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
    for await (const part of parts) {
      if (held + part.length > limit) return 'large';
      if (!budget.take(part.length)) return 'full';
      held += part.length;
      chunks.push(part);
    }
    return use(Buffer.concat(chunks, held));
  } catch (error) {
    if (request.complete) throw error;
    return 'broken';
  } finally {
    budget.giveBack(held);
  }
}
