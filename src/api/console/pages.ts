import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { CitadelError } from '../../kernel/index.ts';

/** A file of the console, ready to be sent. */
export interface PageFile {
  readonly type: string;
  readonly etag: string;
  readonly body: Buffer;
  readonly zipped: Buffer;
}

/** By its path below /console/; the page itself is ``. */
export type Pages = ReadonlyMap<string, PageFile>;

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const index = 'index.html';

/**
 * Reads all that scripts/build-console wrote: a request never reaches the file system.
 * @throws CitadelError FailedPrecondition where it is not there
 */
export async function readPages(directory: string): Promise<Pages> {
  const missing = (cause?: unknown) =>
    new CitadelError(
      'FailedPrecondition',
      'the pages of the console are not built; run scripts/build-console, or leave console out of the configuration',
      { details: directory, cause },
    );
  try {
    const names = (await readdir(directory)).filter((name) => extname(name) in types);
    if (!names.includes(index)) throw missing();
    return new Map(
      await Promise.all(
        names.map(async (name) => {
          const body = await readFile(join(directory, name));
          const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
          const type = types[extname(name)] ?? 'application/octet-stream';
          return [name === index ? '' : name, { type, etag, body, zipped: gzipSync(body) }] as const;
        }),
      ),
    );
  } catch (error) {
    throw error instanceof CitadelError ? error : missing(error);
  }
}
