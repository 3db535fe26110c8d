import type { DecisionRecord } from '../../ports/index.ts';
import type { LintWarning } from '../lint/index.ts';
import type { LabelSelector } from '../model.ts';
import type { ReplayReport, Tally } from '../replay/index.ts';

export interface SuggestOptions {
  /** Callers with fewer calls are proposed, and flagged. */
  readonly minimumCalls: number;
  /** So many identifiers that differ in one place of a path become one segment, whatever it is. */
  readonly variety: number;
  /** A caller with more paths than this, once they are generalised, is left out. */
  readonly mostPaths: number;
}

export const defaultSuggestOptions: SuggestOptions = { minimumCalls: 10, variety: 3, mostPaths: 50 };

/** Why recorded calls are not proposed. */
export type LeftOutReason =
  | 'denied'
  | 'plaintext'
  | 'caller-not-kept'
  | 'request-not-kept'
  | 'unwritable'
  | 'port-gone'
  | 'too-many-paths'
  | 'too-many-callers';

export interface LeftOut extends Tally {
  readonly reason: LeftOutReason;
  /** The callers, as far as they are known; the first of them. */
  readonly callers: readonly string[];
  readonly examples: readonly DecisionRecord[];
}

/** Methods and paths; or a port of bytes, which has neither. */
export interface SuggestedOperation {
  /** Undefined where the workload has one port alone. */
  readonly port: number | undefined;
  readonly methods: readonly string[];
  readonly paths: readonly string[];
}

export interface SuggestedCaller extends Tally {
  /** SPIFFE ID. */
  readonly caller: string;
  readonly operations: readonly SuggestedOperation[];
  /** Seen less often than asked for: perhaps by mistake, or by somebody who tries. */
  readonly isRare: boolean;
  readonly first: Date;
  readonly last: Date;
}

export interface Suggestion {
  /** YAML, in the one form; undefined where nothing that was recorded can be proposed. */
  readonly text: string | undefined;
  readonly namespace: string;
  readonly name: string;
  readonly selector: LabelSelector;
  /** Ids of the workloads that it would hold for. */
  readonly workloads: readonly string[];
  /** The most calls first. */
  readonly callers: readonly SuggestedCaller[];
  readonly leftOut: readonly LeftOut[];
  /** ALLOW policies that hold there already: what they let in, they go on letting in. */
  readonly besides: readonly string[];
  /** What becomes of all recorded calls to these workloads. */
  readonly replay: ReplayReport;
  readonly warnings: readonly LintWarning[];
}
