import type { DecisionRecord } from '../../ports/index.ts';
import type { ReplayedDecision } from './evaluate.ts';

/** A record, and what becomes of its calls. */
export interface ReplayExample {
  readonly record: DecisionRecord;
  /** `<namespace>/<service account>` of the workload that was called. */
  readonly callee: string;
  readonly before: ReplayedDecision;
  readonly after: ReplayedDecision;
  /** Whether it was decided by the rules of now, by its proxy's word. */
  readonly rules: RulesStanding;
}

/** `unknown`: the proxy did not tell, or nobody compared. */
export type RulesStanding = 'same' | 'changed' | 'unknown';

export interface Tally {
  readonly records: number;
  readonly calls: number;
}

/** Alike calls: of one caller, to one callee, decided by the same before and after. */
export interface ReplayGroup extends Tally {
  /** `<namespace>/<service account>` of the workloads that were called. */
  readonly callee: string;
  readonly port: number;
  /** SPIFFE ID, or `plaintext`, or `unknown`. */
  readonly caller: string;
  readonly becomes: 'allowed' | 'denied';
  /** What decided when it was recorded, and what would decide. */
  readonly before: string;
  readonly after: string;
  /** Where it is the same of all of them. */
  readonly rules: RulesStanding;
  readonly last: Date;
  readonly examples: readonly ReplayExample[];
}

/** Calls of which the candidate's decision cannot be told. */
export interface UndecidedGroup extends Tally {
  readonly lacks: readonly string[];
  readonly examples: readonly ReplayExample[];
}

export interface ReplayReport {
  readonly total: Tally;
  readonly unchanged: Tally;
  /** The most calls first. */
  readonly changes: readonly ReplayGroup[];
  readonly undecided: readonly UndecidedGroup[];
  /** Recorded otherwise than the present policies decide: these have changed since, or a proxy was behind. */
  readonly mismatches: readonly ReplayGroup[];
  /** Calls whose callee is gone, or has the port no more. */
  readonly gone: Tally & { readonly callees: readonly string[] };
  /** Calls of which it is known that other rules decided than those of now. */
  readonly decidedByOthers: Tally;
  /** Calls by mutual TLS that were allowed and told of by sample: each stands for more. */
  readonly sampled: Tally;
}
