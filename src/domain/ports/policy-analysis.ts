import type { ExactLimits, PolicyWorld, WorldComparison } from '../policy/index.ts';

/** Long computations over policies, beside the work of the server. */
export interface PolicyAnalysis {
  /**
   * `compareWorlds` of domain/policy.
   * @throws CitadelError DeadlineExceeded when it takes too long, Cancelled when the signal is aborted, Unavailable when
   *   too many wait
   */
  compare(
    before: PolicyWorld,
    after: PolicyWorld,
    options: { readonly signal: AbortSignal; readonly limits?: Partial<ExactLimits> },
  ): Promise<WorldComparison>;
}
