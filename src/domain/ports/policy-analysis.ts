import type { PolicyWorld, PortAccess, ReplayReport, WhatReached, WorldComparison } from '../policy/index.ts';

/**
 * Long computations over policies, beside the work of the server. Each throws, beside its own, CitadelError
 * DeadlineExceeded when it takes too long, Cancelled when the signal is aborted, Unavailable when too many wait.
 */
export interface PolicyAnalysis {
  /** `compareWorlds` of domain/policy. */
  compare(before: PolicyWorld, after: PolicyWorld, signal: AbortSignal): Promise<WorldComparison>;
  /** `whoReaches` of domain/policy. */
  who(world: PolicyWorld, to: string, signal: AbortSignal): Promise<readonly PortAccess[]>;
  /** `whatReaches` of domain/policy. */
  what(world: PolicyWorld, from: string, signal: AbortSignal): Promise<WhatReached>;
  /** `replay` of domain/policy. @param records whole lines, as `exportRecords` of domain/records gives them */
  replay(
    records: readonly string[],
    before: PolicyWorld,
    after: PolicyWorld,
    signal: AbortSignal,
  ): Promise<ReplayReport>;
}
