import { CitadelError, isCitadelError } from '../../../kernel/index.ts';
import { type ApiClient, type ApiReply, unexpectedReply } from './client.ts';
import { items, text } from './json.ts';

export interface ResourceList<T> {
  readonly items: readonly T[];
  /** From which a watch goes on without a gap. */
  readonly resourceVersion: string;
}

export type Query = Readonly<Record<string, string>>;

const pageSize = 500;
/** Pages of one list; stops a server that never ends it. */
const maximumPages = 1000;

/** Lists a collection whole, page by page. @throws CitadelError Unavailable, NotFound when there is no such collection */
export function listAll(
  api: ApiClient,
  path: string,
  query: Query,
  signal: AbortSignal,
): Promise<ResourceList<unknown>> {
  return listEach(api, path, query, (object) => object, signal);
}

/** As listAll, with each page's objects handed to `read` before the next page: what it leaves is not kept. */
export async function listEach<T>(
  api: ApiClient,
  path: string,
  query: Query,
  read: (object: unknown) => T,
  signal: AbortSignal,
): Promise<ResourceList<T>> {
  const all: T[] = [];
  let limit = pageSize;
  let token = '';
  for (let page = 0; page < maximumPages; page += 1) {
    const next: Query = token === '' ? {} : { continue: token };
    let reply: ApiReply;
    try {
      reply = await api.request(
        { method: 'GET', path, query: { ...query, limit: String(limit), ...next } },
        signal,
      );
    } catch (error) {
      // Large objects: as many fit into smaller pages.
      if (!isCitadelError(error, 'ResourceExhausted') || limit === 1) throw error;
      limit = Math.ceil(limit / 8);
      continue;
    }
    if (reply.status === 404) throw new CitadelError('NotFound', `the cluster does not serve ${path}`);
    if (reply.status !== 200) throw unexpectedReply(`list ${path}`, reply);
    for (const object of items(reply.body, 'items')) all.push(read(object));
    token = text(reply.body, 'metadata', 'continue') ?? '';
    if (token === '')
      return { items: all, resourceVersion: text(reply.body, 'metadata', 'resourceVersion') ?? '' };
  }
  throw unexpectedReply(`list ${path}: more than ${maximumPages} pages`, { status: 200, body: undefined });
}
