/** What an operator wants strict. */
export type EnforcementScope =
  | { readonly kind: 'mesh' }
  | { readonly kind: 'namespace'; readonly namespace: string }
  | { readonly kind: 'workload'; readonly namespace: string; readonly workload: string };

/**
 * How far one workload is. `waiting`: its turn has not come. `draining`: calls without mutual TLS of the window are still
 * to pass. `asked`: its proxy is told to take mutual TLS alone. `observing`: the proxy has accepted that, and refusals are
 * watched. `settling`: nobody was refused; what came before drains, while the next workload has its turn. `done`: strict,
 * and nothing of before is left. `reverted`: taken back.
 */
export type StepState = 'waiting' | 'draining' | 'asked' | 'observing' | 'settling' | 'done' | 'reverted';

export interface EnforcementStep {
  readonly workload: string;
  /** Workloads of one group stand in for each other: namespace and service account. */
  readonly group: string;
  readonly state: StepState;
  /** Since when it is in this state. */
  readonly since: Date;
  /** When its proxy was told. */
  readonly askedAt: Date | undefined;
  /** Since when nothing of what came before is left. */
  readonly drainedAt: Date | undefined;
  /** Addresses whose calls without mutual TLS succeeded before it was told: a refusal of these halts. */
  readonly known: readonly string[];
  /** Addresses of which the operator has said that they may be refused. */
  readonly accepted: readonly string[];
  /** The operator overrode that strictness was not known to be safe; nothing is waited for. */
  readonly forced: boolean;
  /** How often its log lost entries while it was watched. */
  readonly losses: number;
}

export interface EnforcementHalt {
  /** `refused`: a caller that succeeded before. `unsafe`: somebody goes on without mutual TLS. `unknown`: it cannot be told. */
  readonly kind: 'refused' | 'unsafe' | 'unknown';
  readonly workload: string;
  readonly reason: string;
  /** Whether the workload was taken back by it. */
  readonly reverted: boolean;
}

/**
 * `running` goes on. `halted` waits for an operator, with all that is strict staying so. `done` holds for its scope and
 * whoever comes into it. `superseded`: a later one took over what it had made strict. `reverted`: taken back.
 */
export type RunState = 'running' | 'halted' | 'done' | 'superseded' | 'reverted';

/** One order to make a scope strict, and how far it is. */
export interface EnforcementRun {
  readonly id: string;
  readonly scope: EnforcementScope;
  readonly state: RunState;
  readonly startedAt: Date;
  /** An operator's subject. */
  readonly startedBy: string;
  readonly reason: string;
  /** Milliseconds that each workload is watched before the next one has its turn. */
  readonly observe: number;
  /** Milliseconds in which nobody may have called without mutual TLS. */
  readonly window: number;
  /** Until when a refused caller has its workload taken back without an operator; undefined: never. */
  readonly revertUntil: Date | undefined;
  readonly steps: readonly EnforcementStep[];
  readonly halt: EnforcementHalt | undefined;
  /** Parts of the scope that were taken back since. */
  readonly exempt: readonly EnforcementScope[];
  readonly updatedAt: Date;
}
