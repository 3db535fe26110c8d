import type { Clock } from '../../kernel/index.ts';
import { interposed } from '../evidence/index.ts';
import type { AccessLogEntry, AccessLogSink, NamedDenial } from '../ports/index.ts';

/** A denied request, as the callee's proxy told it. */
export interface DenialRecord {
  readonly entry: AccessLogEntry & { readonly denial: NamedDenial };
  /** Of all policies that held for the callee when the entry came; undefined where that was not known. */
  readonly policiesVersion: string | undefined;
}

export interface DenialLimits {
  readonly inAll: number;
  readonly perWorkload: number;
  /** Of one caller at one workload: whoever floods it pushes out only its own. */
  readonly perCaller: number;
  /** Milliseconds. */
  readonly kept: number;
}

const defaultDenialLimits: DenialLimits = {
  inAll: 10_000,
  perWorkload: 500,
  perCaller: 50,
  kept: 24 * 3_600_000,
};

export interface Denials {
  add(entries: readonly AccessLogEntry[]): void;
  /** @param id that a denied caller was given; undefined for one that is not known, or no longer */
  get(id: string): DenialRecord | undefined;
}

export interface DenialsOptions {
  readonly clock: Clock;
  readonly policiesVersion: (workload: string) => string | undefined;
  readonly limits?: DenialLimits;
}

interface Kept {
  readonly record: DenialRecord;
  readonly until: number;
}

/**
 * Keeps denied requests by the name that their callers were given. In memory: anybody can be denied, as often as he likes,
 * and no stranger shall make a store write. What is not there any more can be brought about again.
 */
export function createDenials({
  clock,
  policiesVersion,
  limits = defaultDenialLimits,
}: DenialsOptions): Denials {
  // Each in the order in which they came, so that the oldest is the first.
  const all = new Map<string, Kept>();
  const byWorkload = new Groups();
  const byCaller = new Groups();

  const remove = (id: string | undefined) => {
    const kept = id === undefined ? undefined : all.get(id);
    if (id === undefined || !kept) return;
    all.delete(id);
    byWorkload.remove(kept.record.entry.workload, id);
    byCaller.remove(callerOf(kept.record.entry), id);
  };

  const makeRoom = (entry: AccessLogEntry, now: number) => {
    for (const [id, { until }] of all) {
      if (until > now) break;
      remove(id);
    }
    const [caller, { workload }] = [callerOf(entry), entry];
    if (byCaller.size(caller) >= limits.perCaller) remove(byCaller.oldest(caller));
    else if (byWorkload.size(workload) >= limits.perWorkload) remove(byWorkload.oldest(workload));
    else if (all.size >= limits.inAll) remove(all.keys().next().value);
  };

  return {
    add(entries) {
      const now = clock.now().getTime();
      for (const entry of entries) {
        const { denial, workload } = entry;
        // The first word counts: nobody who has learned a name can make it mean something else.
        if (!denial || all.has(denial.id)) continue;
        makeRoom(entry, now);
        const record = { entry: { ...entry, denial }, policiesVersion: policiesVersion(workload) };
        all.set(denial.id, { record, until: now + limits.kept });
        byWorkload.add(workload, denial.id);
        byCaller.add(callerOf(entry), denial.id);
      }
    },
    get(id) {
      const kept = all.get(id);
      return kept && kept.until > clock.now().getTime() ? kept.record : undefined;
    },
  };
}

function callerOf({ workload, callerId = '', callerAddress }: AccessLogEntry): string {
  return `${workload} ${callerId} ${callerAddress}`;
}

/** Names by group, in the order in which they came. */
class Groups {
  readonly #groups = new Map<string, Set<string>>();

  add(group: string, id: string): void {
    this.#groups.set(group, (this.#groups.get(group) ?? new Set()).add(id));
  }

  remove(group: string, id: string): void {
    const own = this.#groups.get(group);
    own?.delete(id);
    if (own?.size === 0) this.#groups.delete(group);
  }

  size(group: string): number {
    return this.#groups.get(group)?.size ?? 0;
  }

  oldest(group: string): string | undefined {
    return this.#groups.get(group)?.values().next().value;
  }
}

/** The same sink, but that denials that have a name are kept beside it. */
export function withDenials(sink: AccessLogSink, denials: Pick<Denials, 'add'>): AccessLogSink {
  return interposed(sink, (session, entries) => {
    session.record(entries);
    denials.add(entries);
  });
}
