import type { AccessLogEntry, ShadowVerdict } from '../ports/index.ts';
import type { ShadowCounts, ShadowDifference, ShadowExample, ShadowObservation } from './model.ts';

/** Differences that are kept of one workload, and of all: whoever calls must not be able to fill the memory. */
const mostOfWorkload = 200;
const mostOfAll = 2_000;
const mostExamples = 3;
/** Characters of a path that are kept. */
const longestPath = 256;

const noCounts: ShadowCounts = { each: 0, sampled: 0, different: 0, unknown: 0, last: undefined };

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

/** Counts, within limits, what proxies tell of one candidate. */
export class Observations {
  readonly #candidate: string;
  readonly #since: Date;
  readonly #counts = new Map<string, ShadowCounts>();
  readonly #differences = new Map<string, Map<string, ShadowDifference>>();
  #kept = 0;
  #more = 0;

  constructor(candidate: string, since: Date) {
    this.#candidate = candidate;
    this.#since = since;
  }

  get candidate(): string {
    return this.#candidate;
  }

  /** @param now when it came: a proxy's clock may be wrong */
  add(workload: string, entry: AccessLogEntry, now: Date): void {
    const { shadow } = entry;
    if (shadow?.candidate !== this.#candidate) return;
    const judged = judge(entry, shadow);
    const before = this.#counts.get(workload) ?? noCounts;
    const isDifferent = judged === 'allowed' || judged === 'denied';
    this.#counts.set(workload, {
      each: before.each + (entry.sampled ? 0 : 1),
      sampled: before.sampled + (entry.sampled ? 1 : 0),
      different: before.different + (isDifferent ? 1 : 0),
      unknown: before.unknown + (judged === 'unknown' ? 1 : 0),
      last: now,
    });
    if (isDifferent) this.#addDifference(workload, judged, { entry, shadow, now });
  }

  #addDifference(
    workload: string,
    becomes: ShadowDifference['becomes'],
    {
      entry,
      shadow,
      now,
    }: { readonly entry: AccessLogEntry; readonly shadow: ShadowVerdict; readonly now: Date },
  ): void {
    const { callerId, policy, rule } = entry;
    const { step, by } = shadow;
    const ofWorkload = this.#differences.get(workload) ?? new Map<string, ShadowDifference>();
    const key = JSON.stringify([becomes, callerId, policy, rule, step, by]);
    const before = ofWorkload.get(key);
    if (!before && (ofWorkload.size >= mostOfWorkload || this.#kept >= mostOfAll)) {
      this.#more += 1;
      return;
    }
    if (!before) this.#kept += 1;
    ofWorkload.set(key, {
      ...(before ?? { workload, becomes, callerId, policy, rule, step, by, first: now }),
      count: (before?.count ?? 0) + 1,
      last: now,
      examples: [...(before?.examples ?? []), exampleOf(entry)].slice(-mostExamples),
    });
    this.#differences.set(workload, ofWorkload);
  }

  observed(): ShadowObservation {
    return {
      candidate: this.#candidate,
      since: this.#since,
      byWorkload: new Map(this.#counts),
      differences: [...this.#differences.values()]
        .flatMap((each) => [...each.values()])
        .toSorted((a, b) => b.count - a.count),
      more: this.#more,
    };
  }
}

function exampleOf({ at, port, callerAddress, method, path }: AccessLogEntry): ShadowExample {
  return { at, port, callerAddress, method, path: path?.slice(0, longestPath) };
}
