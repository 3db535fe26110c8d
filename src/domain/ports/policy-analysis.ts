import type { PolicyWorld, PortAccess, WorldComparison } from '../policy/index.ts';

/**
 * Long computations over policies, beside the work of the server. Each throws, beside its own, CitadelError
 * DeadlineExceeded when it takes too long, Cancelled when the signal is aborted, Unavailable when too many wait.
 */
export interface PolicyAnalysis {
  /** `compareWorlds` of domain/policy. */
  compare(before: PolicyWorld, after: PolicyWorld, signal: AbortSignal): Promise<WorldComparison>;
  /** `whoReaches` of domain/policy. */
  who(world: PolicyWorld, to: string, signal: AbortSignal): Promise<readonly PortAccess[]>;
}
