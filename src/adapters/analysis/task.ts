import type { PolicyWorld, PortAccess, WorldComparison } from '../../domain/policy/index.ts';
import type { ErrorCode } from '../../kernel/index.ts';

/** What a thread can be given to do. */
export type AnalysisTask =
  | { readonly kind: 'compare'; readonly before: PolicyWorld; readonly after: PolicyWorld }
  | { readonly kind: 'who'; readonly world: PolicyWorld; readonly to: string };

export interface AnalysisResults {
  readonly compare: WorldComparison;
  readonly who: readonly PortAccess[];
}

/** An error crosses as its code and message: a class does not. */
export type AnalysisReply =
  | { readonly result: AnalysisResults[AnalysisTask['kind']] }
  | { readonly error: { readonly code: ErrorCode; readonly message: string } };
