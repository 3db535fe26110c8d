import type { ShadowStanding } from '../mesh/index.ts';
import type { PolicyCandidate, ShadowVerdict } from '../ports/index.ts';

/** Calls alike on which what holds and what is tried disagree. */
export interface ShadowDifference {
  readonly workload: string;
  readonly becomes: 'allowed' | 'denied';
  /** By its certificate; undefined: it has shown none. */
  readonly callerId: string | undefined;
  /** `<namespace>/<name>` of the policy that decided, where one did, and its rule, from 0. */
  readonly policy: string | undefined;
  readonly rule: number | undefined;
  /** What would decide. */
  readonly step: ShadowVerdict['step'];
  readonly by: ShadowVerdict['by'];
  readonly count: number;
  readonly first: Date;
  readonly last: Date;
  /** The last few. */
  readonly examples: readonly ShadowExample[];
}

export interface ShadowExample {
  readonly at: Date;
  readonly port: number;
  readonly callerAddress: string;
  readonly method: string | undefined;
  /** Without its query. */
  readonly path: string | undefined;
}

/** Calls that proxies told of with what the candidate would have decided. */
export interface ShadowCounts {
  /** Of kinds of which each is told: denials, and differences. */
  readonly each: number;
  /** Allowed by both; told by sample. */
  readonly sampled: number;
  /** On which both disagree; among `each`. */
  readonly different: number;
  /** Refused before the candidate could be asked; among `each`. */
  readonly unknown: number;
  /** When the last came. */
  readonly last: Date | undefined;
}

/** What has been seen of the candidate that is tried, since this server began to look. */
export interface ShadowObservation {
  readonly candidate: string;
  readonly since: Date;
  readonly byWorkload: ReadonlyMap<string, ShadowCounts>;
  readonly differences: readonly ShadowDifference[];
  /** Differences that are counted alone, for want of room. */
  readonly more: number;
}

export interface ShadowWorkload extends ShadowStanding, ShadowCounts {
  /** Since when nothing that its proxy logged can be missing, and up to when that is known; undefined: it is not. */
  readonly complete: { readonly since: Date; readonly until: Date } | undefined;
}

export interface ShadowStatus {
  readonly candidate: PolicyCandidate;
  /** The present revision; another one than the candidate's base: others changed what it was made for. */
  readonly revision: number;
  readonly since: Date | undefined;
  /** For which it decides otherwise. */
  readonly workloads: readonly ShadowWorkload[];
  readonly differences: readonly ShadowDifference[];
  readonly more: number;
  /** Of allowed calls, how many in a hundred are told of. */
  readonly samplePercent: number;
  /** Why it cannot be promoted, but by force. */
  readonly doubts: readonly string[];
}
