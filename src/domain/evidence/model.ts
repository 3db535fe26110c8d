/** A caller without mutual TLS: all that tells it apart is its address. */
export interface PlaintextCaller {
  readonly address: string;
  readonly first: Date;
  readonly last: Date;
  /** The one before the last, to go back to when the last comes to nothing. */
  readonly previous?: Date | undefined;
  readonly count: number;
}

/** Calls that were refused, by policies or because no filter chain takes them. */
export interface Denials {
  readonly last: Date;
  readonly count: number;
  /** Of the last one. */
  readonly caller: string;
  readonly transport: 'plaintext' | 'mtls' | 'other-tls';
  readonly policy: string | undefined;
  readonly reason: string | undefined;
}

/** A caller that was refused for want of mutual TLS, and is watched for. */
export interface RefusedCaller {
  readonly port: number;
  readonly address: string;
  /** By this server's clock. */
  readonly last: Date;
  readonly count: number;
}

export interface PortEvidence {
  readonly callers: readonly PlaintextCaller[];
  /** When a caller by plaintext was last forgotten for want of room; undefined: none was. */
  readonly forgottenAt: Date | undefined;
  /** Calls of those forgotten. */
  readonly more: number;
  readonly denials: Denials | undefined;
  /** Of the addresses that are watched for, and no others: strangers leave nothing here. */
  readonly refused: readonly Omit<RefusedCaller, 'port'>[];
}

/** What a proxy's agent reads from Envoy's admin. */
export interface ProxyCounters {
  /** When this Envoy process began. */
  readonly startedAt: Date;
  readonly observedAt: Date;
  /** Entries that Envoy handed to its streams, whether or not they arrived. */
  readonly flushed: number;
  /** Entries that Envoy says it threw away. */
  readonly dropped: number;
  readonly warming: number;
  readonly draining: number;
  /** Milliseconds after which Envoy ends what drains. */
  readonly drainTime: number;
}

/** Since when nothing can have been missed, and why not before. */
export interface Coverage {
  readonly since: Date;
  readonly reason: string;
}

/** All that is known of one workload's callers. */
export interface WorkloadEvidence {
  readonly workload: string;
  /** Of the ports that the workload declares; all others together are `anyOtherPort`. */
  readonly ports: ReadonlyMap<number, PortEvidence>;
  readonly coverage: Coverage | undefined;
  /** Up to when the proxy's counters have shown that all it logged has arrived; undefined: not yet. */
  readonly confirmedAt: Date | undefined;
  /** When a stream ended without a word, and nothing has shown since that it lost nothing. */
  readonly brokenAt: Date | undefined;
  readonly counters: ProxyCounters | undefined;
}
