import type { PortMode, RefusedCaller, WorkloadEvidence } from '../evidence/index.ts';
import type { EnforcementHalt, StepState } from './model.ts';

/** What can be told of one workload now. */
export interface SeenWorkload {
  readonly evidence: WorkloadEvidence;
  readonly modes: readonly PortMode[];
}

export interface Newcomer {
  readonly workload: string;
  readonly group: string;
}

/** What a decision looks at; each part is asked for only where a step hangs on it. */
export interface Seen {
  /** Since when this server looks: what went by before is nobody's silence. */
  readonly since: Date;
  /** In the scope, with a proxy, and without a step. */
  newcomers(): readonly Newcomer[];
  /** Undefined: no registry has it any more, or it has no proxy. */
  workload(id: string): SeenWorkload | undefined;
  /** Callers that were refused for want of mutual TLS, of those that are watched for. */
  refusals(id: string): readonly RefusedCaller[];
  /** Addresses that have called the workload, or one of its group, without mutual TLS, for the first time by `before`. */
  knownCallers(id: string, before: Date): readonly string[];
  /** Why callers with a proxy may still have plaintext connections to it; undefined: they have not. */
  notYetMutual(id: string): string | undefined;
}

export type Action =
  | {
      readonly kind: 'join';
      readonly newcomer: Newcomer;
      readonly state: 'waiting' | 'asked';
      readonly known: readonly string[];
    }
  | { readonly kind: 'leave'; readonly workload: string }
  | {
      readonly kind: 'move';
      readonly workload: string;
      readonly to: StepState;
      readonly known?: readonly string[];
    }
  | { readonly kind: 'drained'; readonly workload: string }
  | { readonly kind: 'again'; readonly workload: string; readonly reason: string }
  | { readonly kind: 'halt'; readonly halt: EnforcementHalt }
  | { readonly kind: 'finish' };

/** What a step waits for, where nothing is to be done yet. */
export interface Waiting {
  readonly kind: 'wait';
  readonly reason: string;
}
