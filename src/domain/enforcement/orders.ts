import type { EnforcementStore } from '../ports/index.ts';
import type { EnforcementRun } from './model.ts';
import { holdsFor, isStrict, isWithin, type Member } from './scope.ts';

const retention = 30 * 86_400_000;

/** Every order that was given, and for which workloads it holds now. */
export class StrictOrders {
  readonly #store: EnforcementStore;
  #runs: ReadonlyMap<string, EnforcementRun> = new Map();
  /** Workloads that orders name one by one, and orders that hold for all of their scope. */
  #named: ReadonlySet<string> = new Set();
  #whole: readonly EnforcementRun[] = [];

  constructor(store: EnforcementStore) {
    this.#store = store;
  }

  /** Reads what was ordered before; what holds for nothing any more is forgotten after a month. */
  async load(now: Date): Promise<void> {
    await this.#store.prune(new Date(now.getTime() - retention));
    this.#keep(await this.#store.list());
  }

  /** In the order of their start. */
  runs(): readonly EnforcementRun[] {
    return [...this.#runs.values()];
  }

  /** They hold once they are durable: what a proxy was told is known after a crash. */
  async save(...runs: readonly EnforcementRun[]): Promise<void> {
    await this.#store.save(runs);
    const byId = new Map(this.#runs);
    for (const run of runs) byId.set(run.id, run);
    this.#keep([...byId.values()]);
  }

  holds(member: Member): boolean {
    return this.#named.has(member.id) || this.#whole.some((run) => holdsFor(run, member));
  }

  /** The first order by which a workload is strict. */
  orderFor(member: Member): EnforcementRun | undefined {
    return this.holds(member) ? this.runs().find((run) => holdsFor(run, member)) : undefined;
  }

  #keep(runs: readonly EnforcementRun[]): void {
    this.#runs = new Map(runs.map((run) => [run.id, run]));
    this.#whole = runs.filter(({ state }) => state === 'done');
    this.#named = new Set(
      runs
        .filter(({ state }) => state === 'running' || state === 'halted')
        .flatMap(({ steps }) => steps.filter(isStrict).map(({ workload }) => workload)),
    );
  }
}

/** Live orders: what they made strict is so still. */
export function isLive({ state }: EnforcementRun): boolean {
  return state === 'running' || state === 'halted' || state === 'done';
}

export function isExempt({ exempt }: EnforcementRun, member: Member): boolean {
  return exempt.some((scope) => isWithin(scope, member));
}
