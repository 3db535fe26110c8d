import type { EnforcementRun } from '../enforcement/index.ts';

/** Orders to make workloads strict: what holds after a restart, and where a run goes on. */
export interface EnforcementStore {
  /** Replaces these runs, all in one. */
  save(runs: readonly EnforcementRun[]): Promise<void>;
  /** In the order of their start. */
  list(): Promise<readonly EnforcementRun[]>;
  /** Forgets runs that hold for nothing any more and have not changed since `before`. @returns how many */
  prune(before: Date): Promise<number>;
}
