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

/** What a test can have done within a network namespace. */
export interface Operations {
  /** Runs a program to its end. */
  run(given: {
    readonly command: string;
    readonly args: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
  }): Promise<RunResult>;
  /** Starts one that stays, as another user. */
  start(given: {
    readonly command: string;
    readonly args: readonly string[];
    readonly uid: number;
    readonly log: string;
  }): Promise<void>;
  /** Ends what was started. */
  stop(given: Record<string, never>): Promise<void>;
  write(given: { readonly path: string; readonly text: string }): Promise<void>;
  /** A port of its loopback that leads to a Unix socket, and so out of the namespace. */
  relay(given: { readonly port: number; readonly socketPath: string }): Promise<void>;
  /** An application on every address: tells what it was asked, by whom according to its proxy, and from where. */
  serveHttp(given: { readonly name: string; readonly port: number }): Promise<void>;
  serveEcho(given: { readonly port: number }): Promise<void>;
  /** An application that calls, and knows nothing of proxies. */
  get(given: {
    readonly url: string;
    readonly headers?: Readonly<Record<string, string>>;
  }): Promise<HttpResult>;
  /** A connection that stays open, by a number of the caller's. */
  open(given: { readonly id: number; readonly host: string; readonly port: number }): Promise<SocketResult>;
  say(given: { readonly id: number; readonly text: string }): Promise<SocketResult>;
}

export interface Call {
  readonly id: number;
  readonly operation: keyof Operations;
  readonly given: unknown;
}

export interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}
