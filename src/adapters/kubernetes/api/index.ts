export {
  ApiClient,
  type ApiReply,
  isNamespaceTerminating,
  unexpectedReply,
} from './client.ts';
export type { ApiRequest } from './exchange.ts';
export { field, isRecord, items, pick, text, texts } from './json.ts';
export { listAll } from './list.ts';
export { follow, type WatchContext, type WatchedCollection } from './watch.ts';
