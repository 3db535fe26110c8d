import type { DecisionStep, Policy, RuleReference } from '../policy/index.ts';
import type { ConnectedProxy } from './discovery.ts';

/** What one connection or request was, as the callee's proxy saw it. */
export interface AccessLogEntry {
  /** The workload that was called. */
  readonly workload: string;
  /** The port that the caller wanted. */
  readonly port: number;
  /** `other-tls`: TLS in which the caller has not proved who it is. */
  readonly transport: 'plaintext' | 'mtls' | 'other-tls';
  /** By its certificate. */
  readonly callerId: string | undefined;
  readonly callerAddress: string;
  readonly method: string | undefined;
  /** Without its query. */
  readonly path: string | undefined;
  /** The authority of the request. */
  readonly host?: string | undefined;
  /** Of the TLS handshake (SNI). */
  readonly serverName?: string | undefined;
  /**
   * What is logged at its start is allowed as far as is known; that it was denied, or that nothing took it
   * (`unserved`: no application there, or not a byte either way), comes as an entry of its own.
   */
  readonly decision: 'allowed' | 'denied' | 'unserved';
  /** Denied before any policy was asked: no chain takes plaintext here, or the handshake failed. */
  readonly unproved: boolean;
  /** `<namespace>/<name>` of the policy that decided, where one did. */
  readonly policy: string | undefined;
  readonly rule: number | undefined;
  /** Envoy's own word: `rbac_access_denied...`, `filter_chain_not_found`, what broke the handshake. */
  readonly reason: string | undefined;
  readonly at: Date;
  /** Whether it stands for others that were not logged. */
  readonly sampled: boolean;
  /** Whether this is the first word of it: what has been told of at its start and goes on, or is denied, is not another one. */
  readonly first: boolean;
  /** What policies that are tried beside those that hold would have said; absent where none are. */
  readonly shadow?: ShadowVerdict | undefined;
  /** Of what was denied. */
  readonly denial?: Denial;
  /** Of what was denied, or allowed by mutual TLS; absent where no rules decided, or the proxy cannot tell. */
  readonly marks?: DecisionMarks | undefined;
}

/** How a port is read, and so by which rules of a policy it decides. */
export type DecisionLayer = 'http' | 'network';

/** The steps that tell by which rules they decided. */
export type MarkedStep = 'path' | 'deny' | 'allow';

/** By which rules a proxy decided: a hash of those of each step; undefined where a step has none, or was not come to. */
export type DecisionMarks = { readonly layer: DecisionLayer } & {
  readonly [Step in MarkedStep]: string | undefined;
};

/** By what a decision came about, as its proxy told. */
export interface DecidedBy {
  /** A hash of the rules of AuthorizationPolicies that it came to: equal where these are the same. */
  readonly rules: string;
  /** Of the policy that decided: the store's revision, or a cluster's generation; undefined where that is not certain. */
  readonly revision: number | undefined;
}

/** What a proxy that decides by these policies, of one workload, tells at most. */
export type DecisionMarker = (policies: readonly Policy[], layer: DecisionLayer) => DecisionMarks;

/** What else is known of a denied request or connection, so that it can be explained to who may know. */
export interface Denial {
  /** The name that the caller was given; undefined where it could not be given one. */
  readonly id: string | undefined;
  /** By which the proxy says that it refused; `connection`: no chain took it, or its handshake failed. */
  readonly step: Exclude<DecisionStep, 'default'> | 'token' | 'connection';
  /** Of the original client, as the proxy takes it. */
  readonly remoteAddress: string | undefined;
  readonly calleeAddress: string | undefined;
  /** What is not told as it came: it was too long, or cannot be shown. */
  readonly inexact: readonly ('method' | 'path' | 'host')[];
}

export interface NamedDenial extends Denial {
  readonly id: string;
}

/** What the candidate would have decided of a request or connection. */
export interface ShadowVerdict {
  /** Of what was compared with what: the id of a Trial of domain/mesh. */
  readonly trial: string;
  /** `unknown`: it was refused before the candidate was asked. */
  readonly outcome: 'allowed' | 'denied' | 'unknown';
  /** PATH: what applications read in different ways. ALLOW, without a rule, of a denial: none matches. */
  readonly step: 'PATH' | 'DENY' | 'ALLOW';
  readonly by: { readonly namespace: string; readonly name: string; readonly rule: number } | undefined;
}

/** What the candidate would have decided, from what the filters left in an entry. */
export type ShadowReader = (fields: Readonly<Record<string, unknown>>) => ShadowVerdict | undefined;

export interface AccessLogSession {
  readonly workload: string;
  record(entries: readonly AccessLogEntry[]): void;
  /** So many came that cannot be read, for a reason such as this: what they would have told is not known. */
  refuse(entries: number, reason: string): void;
  /** Envoy ends no stream of its own accord: each end is one in which something may have been lost. */
  close(): void;
}

/** Where access log streams bring what they have read. */
export interface AccessLogSink {
  /** @throws CitadelError PermissionDenied when there is no workload that this proxy may speak for */
  open(proxy: ConnectedProxy): AccessLogSession;
}

/** The step and the policy's rule behind a decision, from what the filters left in an entry. */
export type DecisionReader = (
  fields: Readonly<Record<string, unknown>>,
  denied: boolean,
) => {
  readonly step: DecisionStep;
  readonly by: RuleReference | undefined;
  readonly marks: Partial<Record<MarkedStep, string>>;
};
