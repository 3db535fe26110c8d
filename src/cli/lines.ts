import { StringDecoder } from 'node:string_decoder';
import { CitadelError } from '../kernel/index.ts';

export interface LineLimits {
  /** Characters of one line; what is longer is cut. */
  readonly line: number;
  /** Characters of one line; in what has a longer one there are none. */
  readonly longest: number;
  /** Bytes of all. */
  readonly total: number;
}

/**
 * Text in parts, line by line; no more than one line is held. One that is too long is cut one character behind the limit, so
 * that who reads it sees that it is: a caller who can make one in a log takes no other line with it.
 * @throws CitadelError InvalidArgument for what is not made of lines, or more than there may be in all
 */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  what: string,
  limits: LineLimits,
): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  const cut = (line: string) => line.slice(0, limits.line + 1);
  let rest = '';
  let length = 0;
  let total = 0;
  for await (const chunk of chunks) {
    total += chunk.length;
    if (total > limits.total)
      throw new CitadelError('InvalidArgument', `${what} is larger than ${limits.total} bytes`);
    const [first = '', ...more] = decoder.write(chunk).split('\n');
    rest = cut(rest + first);
    length += first.length;
    for (const next of more) {
      yield rest;
      rest = cut(next);
      length = next.length;
    }
    if (length > limits.longest)
      throw new CitadelError(
        'InvalidArgument',
        `${what} has a line of more than ${limits.longest} characters`,
      );
  }
  rest = cut(rest + decoder.end());
  if (rest !== '') yield rest;
}
