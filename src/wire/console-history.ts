/** What was kept at each revision, and what is tried beside it: types alone. */
import type { ConsoleApply, ConsoleEffect, ConsolePolicyKey } from './console.ts';

/** POST /console/api/history: who changed what and why, the newest first. */
export interface ConsoleHistoryQuestion {
  /** Of this policy alone; absent: of all that are kept here. */
  readonly policy?: ConsolePolicyKey;
  /** Empty: from the newest on. */
  readonly pageToken: string;
}

export interface ConsoleHistory {
  readonly revisions: readonly ConsoleRevision[];
  /** Empty where there is none. */
  readonly nextPageToken: string;
  /** The present one, of all policies. */
  readonly revision: number;
}

export interface ConsoleRevision {
  readonly revision: number;
  /** RFC 3339. */
  readonly at: string;
  readonly by: string;
  readonly reason: string;
  readonly policies: readonly (ConsolePolicyKey & { readonly removed: boolean })[];
}

/** POST /console/api/history/policies: what was kept at a revision. */
export interface ConsoleKeptQuestion {
  readonly policy?: ConsolePolicyKey;
  readonly revision: number;
}

export interface ConsoleKept {
  readonly policies: readonly (ConsolePolicyKey & { readonly text: string })[];
  /** How many more there are, that are not told. */
  readonly more: number;
}

/**
 * POST /console/api/history/changes: what one revision has otherwise than another, line by line; and
 * /console/api/history/diff: what that decides otherwise.
 */
export interface ConsoleCompareQuestion {
  readonly policy?: ConsolePolicyKey;
  readonly from: number;
  readonly to: number;
}

export interface ConsoleChanges {
  readonly effects: readonly ConsoleEffect[];
  readonly more: number;
}

/** GET /console/api/shadow. */
export interface ConsoleShadowStatus {
  readonly shadow: ConsoleShadow | null;
}

/** A change that is tried beside what holds. POST /console/api/shadow begins to try one; its body is that of an apply. */
export type ConsoleShadowStart = ConsoleApply;

export interface ConsoleShadow {
  readonly id: string;
  readonly by: string;
  readonly at: string;
  readonly reason: string;
  /** The revision that it was made for, and the present one: where they differ, it cannot be promoted. */
  readonly base: number;
  readonly revision: number;
  readonly effects: readonly ConsoleEffect[];
  /** Those for which it decides otherwise. */
  readonly workloads: readonly ConsoleShadowWorkload[];
  readonly differences: readonly ConsoleShadowDifference[];
  /** Calls that differ, of kinds that are not kept. */
  readonly more: number;
  /** How much was seen, and what that stands for. */
  readonly seen: string;
  /** What these counts do not hold, each a sentence. */
  readonly notCounted: readonly string[];
  /** Why it cannot be promoted, by force neither. */
  readonly obstacles: readonly string[];
  /** Why it is promoted by force alone. */
  readonly doubts: readonly string[];
}

export interface ConsoleShadowWorkload {
  readonly workload: string;
  /** What its proxies do. */
  readonly proxies: string;
  readonly hasIt: boolean;
  readonly seen: number;
  readonly different: number;
  readonly unknown: number;
  readonly complete: string;
}

export interface ConsoleShadowDifference {
  readonly becomes: 'allowed' | 'denied';
  readonly caller: string;
  readonly workload: string;
  readonly calls: number;
  readonly why: string;
  /** Each a line; the last few. */
  readonly examples: readonly string[];
}

/** POST /console/api/shadow/promote and, without force, /console/api/shadow/revert: of just this candidate. */
export interface ConsoleShadowOrder {
  readonly id: string;
  readonly reason: string;
}

export interface ConsolePromotion extends ConsoleShadowOrder {
  /** Whatever is in doubt. */
  readonly force: boolean;
}
