import type { IncomingHttpHeaders } from 'node:http';

export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface HttpResult {
  readonly status?: number;
  readonly body?: string;
  readonly headers?: IncomingHttpHeaders;
  /** An error's code, in place of an answer. */
  readonly failed?: string;
}

export interface SocketResult {
  readonly body?: string;
  readonly failed?: string;
}

/** What is given and what comes back, by operation. */
interface Types {
  /** Runs a program to its end. */
  run: [given: { readonly command: string; readonly args: readonly string[] }, result: RunResult];
  /** Starts one that stays, as another user. */
  start: [
    given: {
      readonly command: string;
      readonly args: readonly string[];
      readonly uid: number;
      readonly log: string;
    },
    result: void,
  ];
  /** Ends what was started. */
  stop: [given: Readonly<Record<string, never>>, result: void];
  write: [given: { readonly path: string; readonly text: string }, result: void];
  /** A port of its loopback that leads to a Unix socket, and so out of the namespace. */
  relay: [given: { readonly port: number; readonly socketPath: string }, result: void];
  /** An application on every address: tells what it was asked, by whom according to its proxy, and from where. */
  serveHttp: [given: { readonly name: string; readonly port: number }, result: void];
  serveEcho: [given: { readonly port: number }, result: void];
  /** An application that calls, and knows nothing of proxies. */
  get: [
    given: { readonly url: string; readonly headers?: Readonly<Record<string, string>> },
    result: HttpResult,
  ];
  /** A connection that stays open, by a number of the caller's. */
  open: [
    given: {
      readonly id: number;
      readonly host: string;
      readonly port: number;
      /** Where it comes from; any where it is undefined. */
      readonly localPort?: number;
    },
    result: SocketResult,
  ];
  say: [given: { readonly id: number; readonly text: string }, result: SocketResult];
}

export type OperationName = keyof Types;
export type Given<K extends OperationName> = Types[K][0];
export type Result<K extends OperationName> = Types[K][1];

/** What a test can have done within a network namespace. */
export type Operations = { readonly [K in OperationName]: (given: Given<K>) => Promise<Result<K>> };

export type Call<K extends OperationName = OperationName> = {
  [N in K]: { readonly id: number; readonly operation: N; readonly given: Given<N> };
}[K];

export interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}
