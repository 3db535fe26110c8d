import type { BackoffOptions } from '../kernel/index.ts';
import type { RequestKeyAlgorithm } from '../pki/light.ts';

/** How the agent knows its server before it has a certificate of its own. Never: by believing whoever answers first. */
export type TrustSource =
  /** A PEM file of roots, read again at each use, as a mounted one changes under us. */
  | { readonly kind: 'bundle-file'; readonly path: string }
  /** SHA-256 of a root's DER or of its SubjectPublicKeyInfo, hexadecimal; the server must send that root. */
  | { readonly kind: 'pin'; readonly sha256: string }
  | { readonly kind: 'bundle-pem'; readonly pem: string };

export interface EnvoyOptions {
  /** The path of its admin's Unix socket; says which certificates it uses. */
  readonly adminSocket: string;
}

export interface FilesOptions {
  /** Gets `current/{tls.key,tls.crt,ca.crt}`; `current` is a link that is swapped in one rename. */
  readonly directory: string;
  /** Run after each change, without a shell. */
  readonly command?: readonly string[];
  /** Sent after each change to the process that `pidFile` names. */
  readonly signal?: { readonly name: NodeJS.Signals; readonly pidFile: string };
  /** Milliseconds that `command` may take; default 10 000. */
  readonly deadline?: number;
}

export interface AgentOptions {
  readonly server: {
    /** `host:port` */
    readonly address: string;
    /** The DNS name that the server's certificate must have; the host of `address` by default. */
    readonly serverName?: string;
  };
  readonly trust: TrustSource;
  /** The bearer token's file, read again at each use. Without it only a certificate at hand proves who we are. */
  readonly token?: { readonly file: string };
  /** What proves a renewal: a fresh token (default), or the certificate in use (outside Kubernetes). */
  readonly renewWith?: 'token' | 'svid';
  /** Sent as `clusterid`. */
  readonly clusterId?: string;
  /** The one that our certificate must be in; that of the first certificate by default. */
  readonly trustDomain?: string;
  readonly certificate?: {
    /** Default `ecdsa-p256`. */
    readonly keyAlgorithm?: RequestKeyAlgorithm;
    /** Lifetime to ask for; the server's default without it. */
    readonly ttlSeconds?: number;
  };
  readonly socket: {
    readonly path: string;
    /** Users whose processes may connect; the agent's own by default. */
    readonly allowedUids?: readonly number[];
    /** Default 0o600. */
    readonly mode?: number;
    /** Default 64. */
    readonly maxConnections?: number;
  };
  readonly files?: FilesOptions;
  readonly envoy?: EnvoyOptions;
  /** Whether to hold the Sync stream; default true. */
  readonly sync?: boolean;
  /** Delays between attempts that may succeed later; default 500 ms to 30 s. */
  readonly backoff?: BackoffOptions;
  /** Delays after a refusal; default 30 s to 5 min: nothing but a new token or a change at the server mends it. */
  readonly refusedBackoff?: BackoffOptions;
  /** Milliseconds a call to the server may take; default 10 000. */
  readonly callDeadline?: number;
}

export const defaults = {
  backoff: { baseMilliseconds: 500, maximumMilliseconds: 30_000 },
  refusedBackoff: { baseMilliseconds: 30_000, maximumMilliseconds: 300_000 },
  callDeadline: 10_000,
  socketMode: 0o600,
  maxConnections: 64,
  keyAlgorithm: 'ecdsa-p256',
} as const;
