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

/** A program that verifies certificates, as it tells itself. */
export interface TlsProgram {
  /** `envoy`, `node`. */
  readonly name: string;
  /** `1.40.0` */
  readonly version: string;
  /** `BoringSSL`, `OpenSSL 3.5.8` */
  readonly library: string;
}

export interface Consumer {
  readonly id: string;
  readonly kind: ConsumerKind;
  readonly resources: readonly ConsumerResource[];
  readonly lastSeenAt: Date;
  /** What it verifies with; absent where that is not seen. */
  readonly program?: TlsProgram;
}

/** Handshakes that failed, by the reason that Envoy counts them under. */
export interface HandshakeFailures {
  /** The peer's certificate is under no root in the bundle, or has ended (`fail_verify_error`). */
  readonly untrusted: number;
  /** The peer is somebody else than it should be (`fail_verify_san`, `fail_verify_cert_hash`). */
  readonly otherIdentity: number;
  /** The peer showed no certificate (`fail_verify_no_cert`). */
  readonly noCertificate: number;
  /** The peer refused ours, broke off, or spoke no TLS (`connection_error`). */
  readonly connection: number;
}

/** What an agent says that the Envoy beside it has counted. */
export interface HandshakeReport {
  /** When that Envoy began: another one counts from zero. */
  readonly startedAt: Date;
  readonly observedAt: Date;
  /** As the callee. */
  readonly downstream: HandshakeFailures;
  /** As the caller. */
  readonly upstream: HandshakeFailures;
}

/** The failed handshakes of one proxy: they only grow, also when another Envoy takes the place of the first. */
export interface HandshakeTally {
  /** What was said last. */
  readonly last: HandshakeReport;
  readonly downstream: HandshakeFailures;
  readonly upstream: HandshakeFailures;
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
  /** What the agent itself verifies with; absent: it does not say. */
  readonly agentProgram?: TlsProgram;
  readonly consumers: readonly Consumer[];
  readonly connected: boolean;
  readonly lastSeenAt: Date;
  /** Absent: no Envoy's counters have been seen. */
  readonly handshakes?: HandshakeTally;
}

export interface AdoptionStore {
  /** Replaces what this proxy's agent said before, but for its handshakes; the certificate that it said it by is `reported`. */
  record(report: Omit<ProxyReport, 'handshakes'>): Promise<void>;
  handshakes(proxyKey: string): Promise<HandshakeTally | undefined>;
  /** Of a proxy that has reported; else nothing is kept. */
  recordHandshakes(proxyKey: string, tally: HandshakeTally): Promise<void>;
  markDisconnected(proxyKey: string, at: Date): Promise<void>;
  /** For a process that has just begun: what is marked connected was so to one that is gone. Keeps when each was last seen. */
  markAllDisconnected(): Promise<void>;
  list(): Promise<readonly ProxyReport[]>;
  /** Forgets proxies not seen since `before`. @returns how many */
  prune(before: Date): Promise<number>;
}
