import type { IncomingMessage } from 'node:http';

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
export type BodyFailure = 'large' | 'full' | 'broken';

/** Reads a body, of which nothing is trusted: neither its announced length nor that it ever ends. */
export async function withBody<T>(
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
