import { type ApiClient, unexpectedReply } from './client.ts';
import { items, text } from './json.ts';

export interface ResourceList {
  readonly items: readonly unknown[];
  /** From which a watch goes on without a gap. */
  readonly resourceVersion: string;
}

const pageSize = '500';
/** Pages of one list; stops a server that never ends it. */
const maximumPages = 1000;

/** Lists a collection whole, page by page. @throws CitadelError Unavailable */
export async function listAll(
  api: ApiClient,
  path: string,
  query: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<ResourceList> {
  const all: unknown[] = [];
  let next: Readonly<Record<string, string>> = {};
  for (let page = 0; page < maximumPages; page += 1) {
    const reply = await api.request(
      { method: 'GET', path, query: { ...query, limit: pageSize, ...next } },
      signal,
    );
    if (reply.status !== 200) throw unexpectedReply(`list ${path}`, reply);
    all.push(...items(reply.body, 'items'));
    const token = text(reply.body, 'metadata', 'continue') ?? '';
    if (token === '')
      return { items: all, resourceVersion: text(reply.body, 'metadata', 'resourceVersion') ?? '' };
    next = { continue: token };
  }
  throw unexpectedReply(`list ${path}: more than ${maximumPages} pages`, { status: 200, body: undefined });
}
