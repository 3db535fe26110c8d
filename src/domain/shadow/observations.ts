import type { AccessLogEntry, ShadowVerdict } from '../ports/index.ts';
import type { ShadowDifference, ShadowTally } from './model.ts';
import { addTally, shadowLimits } from './tally.ts';

/** Characters of a path that are kept. */
const longestPath = 256;

/** What becomes of a call under the candidate: as it is, another thing, or that is not known. */
export function judge(
  { decision, reason }: Pick<AccessLogEntry, 'decision' | 'reason'>,
  { outcome }: Pick<ShadowVerdict, 'outcome'>,
): 'same' | 'allowed' | 'denied' | 'unknown' {
  if (decision === 'denied') {
    if (outcome === 'allowed') return 'allowed';
    // What tokens or authorizers refuse, they refuse under the candidate too: it is none of their policies.
    const byRules = reason?.startsWith('rbac_access_denied') === true;
    return outcome === 'unknown' && byRules ? 'unknown' : 'same';
  }
  return outcome === 'denied' ? 'denied' : 'same';
}

/** Counts, within limits, what proxies tell of the candidate, until it is taken to be written. */
export class Observations {
  readonly #tallies = new Map<string, ShadowTally>();
  #kinds = 0;

  /**
   * @param trial what the workload's proxy is told to compare now: results of an earlier one do not count
   * @param now when it came: a proxy's clock may be wrong
   */
  add(workload: string, trial: string | undefined, entry: AccessLogEntry, now: Date): void {
    const { shadow } = entry;
    if (shadow !== undefined && shadow.trial === trial) this.put(tallyOf(workload, entry, shadow, now));
  }

  put(tally: ShadowTally): void {
    const before = this.#tallies.get(tally.workload);
    const after = addTally(before, tally, shadowLimits.inAll - this.#kinds);
    this.#kinds += after.differences.length - (before?.differences.length ?? 0);
    this.#tallies.set(tally.workload, after);
  }

  get isEmpty(): boolean {
    return this.#tallies.size === 0;
  }

  /** What was counted since it was last taken. */
  take(): readonly ShadowTally[] {
    const taken = [...this.#tallies.values()];
    this.#tallies.clear();
    this.#kinds = 0;
    return taken;
  }
}

/** Of one call. */
function tallyOf(workload: string, entry: AccessLogEntry, shadow: ShadowVerdict, now: Date): ShadowTally {
  const judged = judge(entry, shadow);
  const isDifferent = judged === 'allowed' || judged === 'denied';
  return {
    workload,
    trial: shadow.trial,
    each: entry.sampled ? 0 : 1,
    sampled: entry.sampled ? 1 : 0,
    different: isDifferent ? 1 : 0,
    unknown: judged === 'unknown' ? 1 : 0,
    last: now,
    differences: isDifferent ? [differenceOf(workload, judged, { entry, shadow, now })] : [],
    more: 0,
    earlier: 0,
  };
}

function differenceOf(
  workload: string,
  becomes: ShadowDifference['becomes'],
  {
    entry,
    shadow,
    now,
  }: { readonly entry: AccessLogEntry; readonly shadow: ShadowVerdict; readonly now: Date },
): ShadowDifference {
  const { callerId, policy, rule, at, port, callerAddress, method, path } = entry;
  const { step, by } = shadow;
  const example = { at, port, callerAddress, method, path: path?.slice(0, longestPath) };
  return {
    workload,
    becomes,
    callerId,
    policy,
    rule,
    step,
    by,
    count: 1,
    first: now,
    last: now,
    examples: [example],
  };
}
