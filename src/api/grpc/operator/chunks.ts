/** Below what a client takes as one message by default. */
const largestChunk = 256 * 1024;

/** Bytes of any length as messages of a stream. */
export async function* chunks(
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncIterable<{ chunk: Buffer }> {
  for await (const part of bytes)
    for (let from = 0; from < part.length; from += largestChunk)
      yield { chunk: Buffer.from(part.subarray(from, from + largestChunk)) };
}
