import type { Condition } from './conditions.ts';

/** What was written of an object last. */
export interface LastWrite {
  readonly uid: string;
  readonly at: number;
  readonly wanted: readonly Condition[];
  /** What the API server made of it: a definition of somebody else's may drop fields. */
  readonly stored: readonly Condition[];
}

/** Milliseconds between two writes of one object at least. */
export const fast = 1_000;
/** Milliseconds for what may pass by itself, or is no news: proxies that come and go, numbers in a message. */
export const slow = 30_000;

/**
 * When an object's conditions are to be written.
 * @param noticedAt when what is wanted was first other than what is stored
 * @returns undefined: not at all
 */
export function dueAt(
  wanted: readonly Condition[],
  stored: readonly Condition[],
  last: Omit<LastWrite, 'uid'> | undefined,
  noticedAt: number,
): number | undefined {
  if (same(wanted, stored)) return undefined;
  if (last && same(wanted, last.wanted)) {
    // It was written, and this is what came of it.
    if (same(stored, last.stored)) return undefined;
    // Somebody else writes the same: he is not outrun.
    return last.at + slow;
  }
  if (!isNews(wanted, stored)) return noticedAt + slow;
  return last ? Math.max(noticedAt, last.at + fast) : noticedAt;
}

/**
 * Whether somebody waits for it: another generation, another judgement, a refusal, or that all is well. That proxies
 * come and go is none: each time a pod starts, its proxy has not answered yet.
 */
function isNews(wanted: readonly Condition[], stored: readonly Condition[]): boolean {
  return wanted.some((condition) => {
    const before = stored.find(({ type }) => type === condition.type);
    if (!before || before.observedGeneration !== condition.observedGeneration) return true;
    if (before.status === condition.status && before.reason === condition.reason) return false;
    return condition.type === 'Accepted' || condition.status === 'True' || condition.reason === 'Refused';
  });
}

function same(a: readonly Condition[], b: readonly Condition[]): boolean {
  return a.length === b.length && a.every((one) => b.some((other) => sameCondition(one, other)));
}

function sameCondition(a: Condition, b: Condition): boolean {
  return (
    a.type === b.type &&
    a.status === b.status &&
    a.reason === b.reason &&
    a.message === b.message &&
    a.observedGeneration === b.observedGeneration
  );
}
