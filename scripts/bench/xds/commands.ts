import type { Identity } from './delta-stream.ts';
import type { BenchWorkload } from './registry.ts';

/** What the bench asks its server process beside what a proxy would. */
export interface Commands {
  readonly issue: { readonly argument: readonly BenchWorkload[]; readonly result: readonly Identity[] };
  readonly counters: {
    /** Whether garbage goes first, so that memory is what is in use. */
    readonly argument: { readonly collect: boolean };
    readonly result: Counters;
  };
  /**
   * What the proxies of these should have: bytes encoded, and bytes if each had been encoded by itself; how many encoded
   * messages there are, and how many different ones.
   */
  readonly encoded: {
    readonly argument: readonly BenchWorkload[];
    readonly result: {
      readonly onceBytes: number;
      readonly eachBytes: number;
      readonly encoded: number;
      readonly different: number;
    };
  };
}

export type Command = keyof Commands;

export interface Counters {
  readonly renders: number;
  /** Sent to proxies. */
  readonly responses: number;
  readonly bytes: number;
  readonly cpuMilliseconds: number;
  readonly residentBytes: number;
  readonly heapBytes: number;
  readonly peakBytes: number;
  /** Milliseconds without a turn of the event loop, the most since the counters were last asked for. */
  readonly longestPause: number;
}

/** What the server says unasked, once it serves. */
export interface Ready {
  readonly port: number;
  readonly rootsPem: string;
}

/** Stands for the question that nobody asked; the others follow. */
export const readyId = 0;
