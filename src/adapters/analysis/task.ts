import type {
  PolicyWorld,
  PortAccess,
  ReplayReport,
  WhatReached,
  WorldComparison,
} from '../../domain/policy/index.ts';
import type { ErrorCode } from '../../kernel/index.ts';

interface Worlds {
  readonly before: PolicyWorld;
  readonly after: PolicyWorld;
}

/** What a thread can be given to do. */
export type AnalysisTask =
  | ({ readonly kind: 'compare' } & Worlds)
  | { readonly kind: 'who'; readonly world: PolicyWorld; readonly to: string }
  | { readonly kind: 'what'; readonly world: PolicyWorld; readonly from: string }
  | ({ readonly kind: 'replay'; readonly records: readonly string[] } & Worlds);

export interface AnalysisResults {
  readonly compare: WorldComparison;
  readonly who: readonly PortAccess[];
  readonly what: WhatReached;
  readonly replay: ReplayReport;
}

/** An error crosses as its code and message: a class does not. */
export type AnalysisReply =
  | { readonly result: AnalysisResults[AnalysisTask['kind']] }
  | { readonly error: { readonly code: ErrorCode; readonly message: string } };
