import { readAtMost } from '../../kernel/index.ts';

/** The body of a provider's answer of 200. @throws Error for any other, and for one that is too large */
export async function readAnswer({ status, body }: Response, url: string, largest: number): Promise<Buffer> {
  if (status !== 200 || !body) {
    await body?.cancel();
    throw new Error(`${url} answered ${status}`);
  }
  const read = await readAtMost(body, largest);
  if (!read) throw new Error(`${url} is larger than ${largest} bytes`);
  return read;
}
