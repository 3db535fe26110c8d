import { StringDecoder } from 'node:string_decoder';
import { CitadelError } from '../kernel/index.ts';

export interface LineLimits {
  /** Characters of one line. */
  readonly line: number;
  /** Bytes of all. */
  readonly total: number;
}

/**
 * Text in parts, line by line; no more than one line is held.
 * @throws CitadelError InvalidArgument for a line that is too long, or more than there may be
 */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  what: string,
  limits: LineLimits,
): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  let total = 0;
  for await (const chunk of chunks) {
    total += chunk.length;
    if (total > limits.total)
      throw new CitadelError('InvalidArgument', `${what} is larger than ${limits.total} bytes`);
    const [first = '', ...more] = decoder.write(chunk).split('\n');
    rest += first;
    for (const next of more) {
      yield withinLimit(rest, what, limits);
      rest = next;
    }
    withinLimit(rest, what, limits);
  }
  rest += decoder.end();
  if (rest !== '') yield withinLimit(rest, what, limits);
}

function withinLimit(line: string, what: string, limits: LineLimits): string {
  if (line.length <= limits.line) return line;
  throw new CitadelError('InvalidArgument', `${what} has a line of more than ${limits.line} characters`);
}
