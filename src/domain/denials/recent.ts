import type { DenialLimits } from '../ports/index.ts';
import { type DenialRecord, denialCaller } from './model.ts';

/** Denials by their names, the oldest first, as many as the limits allow. */
export class RecentDenials {
  readonly #limits: DenialLimits;
  readonly #all = new Map<string, DenialRecord>();
  readonly #groups = new Map<string, Set<string>>();

  constructor(limits: DenialLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#all.size;
  }

  /** The first word counts: nobody who has learned a name can make it mean something else. */
  add(record: DenialRecord): void {
    const { id } = record.entry.denial;
    if (this.#all.has(id)) return;
    const { perCaller, perWorkload, inAll } = this.#limits;
    const [caller, workload, all] = groupsOf(record);
    // Of the smallest group that is full, so that nobody else's goes.
    const full = [
      { group: caller, most: perCaller },
      { group: workload, most: perWorkload },
      { group: all, most: inAll },
    ].find(({ group, most }) => (this.#groups.get(group)?.size ?? 0) >= most);
    if (full) this.#remove(this.#groups.get(full.group)?.values().next().value);
    this.#all.set(id, record);
    for (const group of groupsOf(record))
      this.#groups.set(group, (this.#groups.get(group) ?? new Set()).add(id));
  }

  get(id: string): DenialRecord | undefined {
    return this.#all.get(id);
  }

  /** The newest first. */
  list(): readonly DenialRecord[] {
    return [...this.#all.values()].reverse();
  }

  /** The oldest ones, which are no longer here. */
  take(most: number): readonly DenialRecord[] {
    const taken = [...this.#all.values()].slice(0, most);
    for (const { entry } of taken) this.#remove(entry.denial.id);
    return taken;
  }

  /** @returns how many are gone */
  prune(before: Date): number {
    const old = [...this.#all.values()].filter(({ told }) => told < before);
    for (const { entry } of old) this.#remove(entry.denial.id);
    return old.length;
  }

  #remove(id: string | undefined): void {
    const record = id === undefined ? undefined : this.#all.get(id);
    if (id === undefined || !record) return;
    this.#all.delete(id);
    for (const group of groupsOf(record)) {
      const own = this.#groups.get(group);
      own?.delete(id);
      if (own?.size === 0) this.#groups.delete(group);
    }
  }
}

/** Who has proved nothing can be anybody, as often as he likes: it takes no place of those that have. */
function groupsOf(record: DenialRecord): readonly [string, string, string] {
  const { workload, callerId } = record.entry;
  const kind = callerId === undefined ? 'unproved' : 'proved';
  return [`${kind} ${workload} ${denialCaller(record.entry)}`, `${kind} ${workload}`, kind];
}
