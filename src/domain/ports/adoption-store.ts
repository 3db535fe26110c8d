/** sent, accepted (ACK: parsed, no more) and inUse (seen in a handshake or in the proxy's own list) never mix. */
export type AdoptionState = 'sent' | 'accepted' | 'inUse';
export type AdoptedKind = 'svid' | 'bundle';
export type ConsumerKind = 'envoy-sds' | 'workload-api' | 'file';

export interface ConsumerResource {
  readonly name: string;
  readonly kind: AdoptedKind;
  /** A bundle's content version, or an SVID's serial; undefined: never. */
  readonly sent?: string;
  readonly accepted?: string;
  readonly inUse?: string;
  /** How "in use" was seen: `envoy-admin`, `handshake`. */
  readonly inUseEvidence?: string;
  /** Fingerprint of the issuer of the leaf in use. */
  readonly inUseIssuer?: string;
  readonly nackError?: string;
  readonly observedAt: Date;
}

export interface Consumer {
  readonly id: string;
  readonly kind: ConsumerKind;
  readonly resources: readonly ConsumerResource[];
  readonly lastSeenAt: Date;
}

/** What one proxy's agent said last; keyed by what the server knows from the SVID's serial, not by a name it chose. */
export interface ProxyReport {
  readonly proxyKey: string;
  readonly spiffeId: string;
  readonly svidSerial: string;
  readonly principal: string;
  readonly agentVersion: string;
  readonly agentBundleVersion: string;
  /** Of the set of CRLs that all its Envoys have accepted; undefined where they have not all, or know of none. */
  readonly crlVersion?: string;
  readonly consumers: readonly Consumer[];
  readonly connected: boolean;
  readonly lastSeenAt: Date;
}

export interface AdoptionStore {
  /** Replaces what this proxy's agent said before. */
  record(report: ProxyReport): Promise<void>;
  markDisconnected(proxyKey: string, at: Date): Promise<void>;
  /** For a process that has just begun: what is marked connected was so to one that is gone. Keeps when each was last seen. */
  markAllDisconnected(): Promise<void>;
  list(): Promise<readonly ProxyReport[]>;
  /** Forgets proxies not seen since `before`. @returns how many */
  prune(before: Date): Promise<number>;
}
