import type { ExactLimits, PolicyWorld } from '../../domain/policy/index.ts';

/** What a thread is started for. */
export interface AnalysisTask {
  readonly before: PolicyWorld;
  readonly after: PolicyWorld;
  readonly limits: Partial<ExactLimits>;
}
