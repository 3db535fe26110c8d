import type { ShadowDifference, ShadowTally } from './model.ts';

/** What is kept: whoever calls must not be able to fill memory or store. */
export const shadowLimits = {
  /** Kinds of differences of one workload, and of all. */
  perWorkload: 200,
  inAll: 2_000,
  /** Of one kind, the last ones. */
  examples: 3,
  /** Of more the one that was silent longest goes. */
  workloads: 10_000,
} as const;

/**
 * Pure: what was counted of a workload, and then more.
 * @param room how many more kinds of differences all workloads together may have
 */
export function addTally(
  before: ShadowTally | undefined,
  added: ShadowTally,
  room: number = shadowLimits.inAll,
): ShadowTally {
  if (before && before.trial !== added.trial) {
    const [older, newer] = before.last > added.last ? [added, before] : [before, added];
    const earlier = newer.earlier + older.earlier + older.each + older.sampled;
    return addTally(undefined, { ...newer, earlier }, room + before.differences.length);
  }
  const differences = new Map(before?.differences.map((each) => [keyOf(each), each]));
  const most = Math.min(shadowLimits.perWorkload, differences.size + Math.max(0, room));
  let more = (before?.more ?? 0) + added.more;
  for (const each of added.differences) {
    const known = differences.get(keyOf(each));
    if (known) differences.set(keyOf(each), together(known, each));
    else if (differences.size < most) differences.set(keyOf(each), each);
    else more += each.count;
  }
  return {
    workload: added.workload,
    trial: added.trial,
    each: (before?.each ?? 0) + added.each,
    sampled: (before?.sampled ?? 0) + added.sampled,
    different: (before?.different ?? 0) + added.different,
    unknown: (before?.unknown ?? 0) + added.unknown,
    last: before && before.last > added.last ? before.last : added.last,
    differences: [...differences.values()],
    more,
    earlier: (before?.earlier ?? 0) + added.earlier,
  };
}

function together(before: ShadowDifference, added: ShadowDifference): ShadowDifference {
  return {
    ...before,
    count: before.count + added.count,
    first: before.first < added.first ? before.first : added.first,
    last: before.last > added.last ? before.last : added.last,
    examples: [...before.examples, ...added.examples].slice(-shadowLimits.examples),
  };
}

function keyOf({ becomes, callerId, policy, rule, step, by }: ShadowDifference): string {
  return JSON.stringify([becomes, callerId, policy, rule, step, by?.namespace, by?.name, by?.rule]);
}
