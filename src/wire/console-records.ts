/** What recorded calls would come to, and what an identity may reach: types alone. */
import type { ConsoleChange } from './console.ts';

/** POST /console/api/replay: recorded calls decided again under a change. */
export interface ConsoleReplayQuestion extends ConsoleChange {
  readonly since: ConsoleSpan;
}

/** Up to now; no older calls are kept than those of the longest. */
export type ConsoleSpan = '1h' | '24h' | '7d';

export interface ConsoleTally {
  readonly calls: number;
  /** Different calls: those alike are one. */
  readonly records: number;
}

export interface ConsoleReplay {
  readonly total: ConsoleTally;
  readonly unchanged: ConsoleTally;
  /** The most calls first. */
  readonly changes: readonly ConsoleReplayGroup[];
  readonly undecided: readonly ConsoleUndecidedGroup[];
  /** Recorded otherwise than the present policies decide: these say nothing of the change. */
  readonly mismatches: readonly ConsoleReplayGroup[];
  /** To what is there no more. */
  readonly gone: ConsoleTally & { readonly callees: readonly string[] };
  /** What a reader must know of these numbers, each a sentence. */
  readonly caveats: readonly string[];
}

export interface ConsoleReplayGroup extends ConsoleTally {
  readonly becomes: 'allowed' | 'denied';
  /** SPIFFE ID, `plaintext` or `unknown`. */
  readonly caller: string;
  /** `NAMESPACE/SERVICEACCOUNT:PORT`. */
  readonly callee: string;
  /** What decided when it was recorded, and what would decide. */
  readonly before: string;
  readonly after: string;
  readonly examples: readonly ConsoleReplayExample[];
}

export interface ConsoleUndecidedGroup extends ConsoleTally {
  /** What the record does not have. */
  readonly lacks: readonly string[];
  readonly examples: readonly ConsoleReplayExample[];
}

export interface ConsoleReplayExample {
  /** Method and path, or `connection`. */
  readonly request: string;
  readonly caller: string;
  readonly workload: string;
  readonly calls: number;
  /** RFC 3339. */
  readonly last: string;
}
