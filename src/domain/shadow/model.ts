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

/** What was counted of one workload. */
export interface ShadowTally extends ShadowCounts {
  readonly workload: string;
  /** Of what was compared with what, see Trial of domain/mesh: counts of two of them are never added up. */
  readonly trial: string;
  readonly last: Date;
  readonly differences: readonly ShadowDifference[];
  /** Calls that differ and of whose kinds none is kept, for want of room; among `different`. */
  readonly more: number;
  /** Calls that were counted under earlier trials, when other policies held for the workload. */
  readonly earlier: number;
}

/** One server, while it counts: from its start to its end. */
export interface ShadowWatch {
  readonly id: string;
  readonly since: Date;
  /** Up to when all that came to it is written down. */
  readonly until: Date;
  /** Whether it came to an end in order, so that nothing was lost with it. */
  readonly closed: boolean;
}

/** When calls were counted. */
export interface ShadowCounting {
  /** Undefined: not yet. */
  readonly since: Date | undefined;
  /** In between, when no server did. */
  readonly gaps: readonly ShadowGap[];
  /** From then on no server has been lost with what had come to it. */
  readonly unbrokenSince: Date | undefined;
}

export interface ShadowGap {
  readonly from: Date;
  readonly until: Date;
}

export interface ShadowWorkload extends ShadowStanding, ShadowCounts {
  /** Since when nothing that its proxy logged can be missing, and up to when that is known; undefined: it is not. */
  readonly complete: { readonly since: Date; readonly until: Date } | undefined;
  /** Calls that were counted when other policies held for it, or would have: they count no more. */
  readonly earlier: number;
}

export interface ShadowStatus {
  readonly candidate: PolicyCandidate;
  /** The present revision; another one than the candidate's base: others changed what it was made for. */
  readonly revision: number;
  readonly since: Date | undefined;
  readonly gaps: readonly ShadowGap[];
  /** For which it decides otherwise. */
  readonly workloads: readonly ShadowWorkload[];
  /** Calls to others: they are gone, or it decides alike for them by now. */
  readonly elsewhere: number;
  readonly differences: readonly ShadowDifference[];
  /** Of the calls that differ, those of whose kinds none is kept. */
  readonly more: number;
  /** Of allowed calls, how many in a hundred are told of. */
  readonly samplePercent: number;
  /** Why it cannot be promoted, but by force. */
  readonly doubts: readonly string[];
  /** Why it cannot be promoted, by force neither. */
  readonly obstacles: readonly string[];
}
