import { createHash } from 'node:crypto';
import type { AuthorityRecord } from '../ports/index.ts';

/** When an issuing authority's successor is made and when it takes over, as parts of the lifetime left. */
export interface IssuingRotationPolicy {
  /** Prepare when less than this part of the lifetime is left, for example 0.5. */
  readonly prepareBelow: number;
  /** Activate when less than this part of the lifetime is left, for example 1/6. */
  readonly activateBelow: number;
  /**
   * By how much both are drawn forward for one authority, out of its id: from 0 to 1 of a tenth of what `prepareBelow`
   * leaves. Of servers that were made in one minute, not all ask the root's home in one minute. None: by nothing.
   */
  readonly jitter?: (id: string) => number;
}

export type IssuingAction =
  | { readonly kind: 'prepare' }
  | { readonly kind: 'activate'; readonly id: string }
  | { readonly kind: 'retire'; readonly id: string };

/**
 * Decides what is due for the issuing authorities of one server process: pure, safe to ask again after each action.
 * An authority under a root that is no longer active, or a tainted one, is replaced at once.
 */
export function decideIssuing(
  slots: readonly AuthorityRecord[],
  activeRoot: string,
  policy: IssuingRotationPolicy,
  now: Date,
): readonly IssuingAction[] {
  const ended = slots.filter((slot) => slot.state !== 'retired' && slot.notAfter <= now);
  const live = slots.filter((slot) => slot.notAfter > now);
  const actions: IssuingAction[] = ended.map(({ id }) => ({ kind: 'retire', id }));
  const fit = (slot: AuthorityRecord) => !slot.tainted && slot.rootFingerprint === activeRoot;
  const active = live.find((slot) => slot.state === 'active');
  const left = active && fit(active) ? partLeft(active, now) : 0;
  // Who goes back to a root finds what signed under it, also while the home of the root's key is away.
  const former = (slot: AuthorityRecord) =>
    slot.state === 'old' && left === 0 && partLeft(slot, now) >= policy.activateBelow;
  const prepared =
    live.find((slot) => slot.state === 'prepared' && fit(slot)) ??
    live.find((slot) => former(slot) && fit(slot));
  const earlier = active ? (policy.jitter?.(active.id) ?? 0) * (1 - policy.prepareBelow) * 0.1 : 0;
  if (left >= policy.prepareBelow + earlier) return actions;
  if (!prepared) return [...actions, { kind: 'prepare' }];
  if (left < policy.activateBelow + earlier) actions.push({ kind: 'activate', id: prepared.id });
  return actions;
}

/** Spread evenly over 0 to 1, and the same for one id whenever it is asked. */
export function jitterOf(id: string): number {
  return createHash('sha256').update(id).digest().readUInt32BE(0) / 2 ** 32;
}

/**
 * Of the time since it was made, not since its back-dated NotBefore: below a root that soon ends, every new one would
 * otherwise be due for replacement at once, and its successor too.
 */
function partLeft({ notBefore, createdAt, notAfter }: AuthorityRecord, now: Date): number {
  const from = Math.max(notBefore.getTime(), createdAt.getTime());
  return (notAfter.getTime() - now.getTime()) / (notAfter.getTime() - from);
}

/** The roots that everybody's trust bundle holds: all but retired ones, and those that are staged. */
export function bundleRoots(records: readonly AuthorityRecord[]): readonly AuthorityRecord[] {
  return records.filter(({ kind, state }) => kind === 'root' && state !== 'retired' && state !== 'staged');
}

/** The roots that the bundle of those who are chosen holds besides. */
export function stagedRoots(records: readonly AuthorityRecord[]): readonly AuthorityRecord[] {
  return records.filter(({ kind, state }) => kind === 'root' && state === 'staged');
}
