export { connectNamespaces, hasNamespaces, type NetworkNamespace, networkNamespace } from './namespace.ts';
export type { HttpResult, RunResult, SocketResult } from './operations.ts';
