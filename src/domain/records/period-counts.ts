import type { DecisionRecord } from '../ports/index.ts';
import { type RecordLimits, withoutCaller, withoutRequest } from './fold.ts';
import { type DecisionIdentity, decisionKey } from './identity.ts';

/** Addresses that are kept of a record; with one more none is. */
const mostAddresses = 8;

/** What of the workload that was called outlives it. */
export type Callee = Pick<DecisionRecord, 'serviceAccount' | 'labels'>;

interface Counted {
  record: DecisionRecord;
}

interface Workload {
  readonly records: Map<string, Counted>;
  readonly perCaller: Map<string, number>;
}

/** The records of one period, counted in memory within limits. */
export class PeriodCounts {
  readonly period: Date;
  readonly #limits: RecordLimits;
  readonly #workloads = new Map<string, Workload>();
  /** What has not been saved. */
  readonly #dirty = new Set<Counted>();
  #total = 0;

  constructor(period: Date, limits: RecordLimits) {
    this.period = period;
    this.#limits = limits;
  }

  /** Takes what was counted before, by this server or an earlier one. */
  restore(record: DecisionRecord): void {
    this.#put(record, decisionKey(record));
  }

  add(identity: DecisionIdentity, callee: Callee, address: string, now: Date): void {
    const [kept, key] = this.#place(identity);
    const known = this.#workloads.get(kept.workload)?.records.get(key);
    if (!known) {
      const addresses = kept.lacks.includes('address') ? [] : [address];
      this.#put({ ...kept, ...callee, addresses, first: now, last: now, count: 1 }, key, this.#dirty);
      return;
    }
    const { first, last, count } = known.record;
    known.record = {
      ...withAddress(known.record, address),
      ...callee,
      first: now < first ? now : first,
      last: now > last ? now : last,
      count: count + 1,
    };
    this.#dirty.add(known);
  }

  /** What was told of at its start as allowed was denied in the end. */
  takeBack(identity: DecisionIdentity): void {
    const [kept, key] = this.#place(identity);
    const known = this.#workloads.get(kept.workload)?.records.get(key);
    if (!known || known.record.count === 0) return;
    known.record = { ...known.record, count: known.record.count - 1 };
    this.#dirty.add(known);
  }

  get isSaved(): boolean {
    return this.#dirty.size === 0;
  }

  /** What has not been saved, and counts as saved from now on. @param most how many at once */
  take(most: number): readonly DecisionRecord[] {
    const taken = [...this.#dirty].slice(0, most);
    for (const counted of taken) this.#dirty.delete(counted);
    return taken.map(({ record }) => record);
  }

  /** They could not be saved. */
  giveBack(records: readonly DecisionRecord[]): void {
    for (const record of records) {
      const counted = this.#workloads.get(record.workload)?.records.get(decisionKey(record));
      if (counted) this.#dirty.add(counted);
    }
  }

  #put(record: DecisionRecord, key: string, unsaved?: Set<Counted>): void {
    const workload = this.#workloads.get(record.workload) ?? { records: new Map(), perCaller: new Map() };
    this.#workloads.set(record.workload, workload);
    const counted = { record };
    workload.records.set(key, counted);
    unsaved?.add(counted);
    const caller = callerOf(record);
    workload.perCaller.set(caller, (workload.perCaller.get(caller) ?? 0) + 1);
    this.#total += 1;
  }

  /** By as much as there is room for. */
  #place(identity: DecisionIdentity): readonly [DecisionIdentity, string] {
    const workload = this.#workloads.get(identity.workload);
    const known = (each: DecisionIdentity) => workload?.records.has(decisionKey(each)) === true;
    const place = (each: DecisionIdentity) => [each, decisionKey(each)] as const;
    if (known(identity)) return place(identity);
    const { perCaller, perWorkload, total } = this.#limits;
    const isFull = (workload?.records.size ?? 0) >= perWorkload || this.#total >= total;
    const hasMany = (workload?.perCaller.get(callerOf(identity)) ?? 0) >= perCaller;
    if (!isFull && !hasMany) return place(identity);
    const coarse = withoutRequest(identity);
    return place(!isFull || known(coarse) ? coarse : withoutCaller(identity));
  }
}

const callerOf = ({ caller = '' }: DecisionIdentity): string => caller;

function withAddress(record: DecisionRecord, address: string): DecisionRecord {
  const { addresses, lacks } = record;
  if (lacks.includes('address') || addresses.includes(address)) return record;
  if (addresses.length < mostAddresses) return { ...record, addresses: [...addresses, address] };
  return { ...record, addresses: [], lacks: [...lacks, 'address'] };
}
