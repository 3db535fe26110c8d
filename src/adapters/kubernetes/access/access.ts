import type { Agent } from 'node:http';

/** How one API server is reached and as whom. */
export interface ClusterAccess {
  /** Base URL, `https://host:port`, without a slash at its end. */
  readonly server: string;
  /** Asked for before every request: tokens and certificates are replaced under a running server. */
  credentials(): Promise<AccessCredentials>;
  close(): void;
}

export interface AccessCredentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly agent: Agent;
}
