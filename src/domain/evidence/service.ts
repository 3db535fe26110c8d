import { type Clock, describeError, type Log, type Repetition, repeatedly } from '../../kernel/index.ts';
import type { ControlPlane } from '../mesh/index.ts';
import type { AccessLogSink, EvidenceStore } from '../ports/index.ts';
import { broken, received, refused, reported, settle } from './account.ts';
import { addTo, foldUndeclared, isOver, type Known, newKnown, restored } from './known.ts';
import type { ProxyCounters, RefusedCaller, WorkloadEvidence } from './model.ts';
import { hasLoggingListeners } from './modes.ts';

export interface EvidenceOptions {
  readonly mesh: Pick<ControlPlane, 'workloadOf' | 'proxiesOf' | 'snapshot'>;
  readonly store: EvidenceStore;
  readonly clock: Clock;
  readonly log: Log;
}

export interface EvidenceService extends AccessLogSink {
  /** What an agent reads of the Envoy beside it; kept for the workload for which that Envoy speaks. */
  report(proxyKey: string, counters: ProxyCounters): void;
  /** Undefined where nothing has been heard of this workload. */
  get(workload: string): WorkloadEvidence | undefined;
  /** From now on refusals of these addresses are kept, each by itself; of no others, for anybody can be refused. */
  watch(workload: string, addresses: readonly string[]): void;
  refusals(workload: string): readonly RefusedCaller[];
  /** Reads what was known before; writes what changes, in batches, until `close`. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** What a proxy that was killed has logged and not told is lost without a trace: at most this long ago. */
const writeInterval = 2_000;
const tidyInterval = 600_000;

/** Keeps who calls whom without mutual TLS, and since when nothing of it can have been missed. */
export function createEvidenceService({ mesh, store, clock, log }: EvidenceOptions): EvidenceService {
  const workloads = new Map<string, Known>();
  const watched = new Map<string, ReadonlySet<string>>();
  let writing: Repetition | undefined;
  let tidiedAt = clock.now();

  const knownOf = (workload: string): Known => {
    let known = workloads.get(workload);
    if (!known) {
      known = newKnown(clock.now());
      workloads.set(workload, known);
    }
    return known;
  };

  const heard = (known: Known) => {
    known.heardAt = clock.now();
    known.dirty = true;
  };

  const declaredBy = (workload: string): ReadonlySet<number> =>
    new Set(
      mesh
        .snapshot()
        ?.workloads.get(workload)
        ?.ports.map(({ port }) => port),
    );

  const write = async () => {
    const changed = [...workloads].filter(([, { dirty }]) => dirty);
    if (changed.length === 0) return;
    const rows = changed.map(([workload, { account, ports, heardAt }]) => ({
      workload,
      account,
      ports: new Map(ports),
      updatedAt: heardAt,
    }));
    for (const [, known] of changed) known.dirty = false;
    try {
      await store.save(rows);
    } catch (error) {
      for (const [, known] of changed) known.dirty = true;
      log.warn('what is known of callers could not be written; it is tried again', {
        cause: describeError(error),
      });
    }
  };

  /** Before every source has given something nobody can say that a workload is gone. */
  const tidy = async () => {
    const now = clock.now();
    if (now.getTime() - tidiedAt.getTime() < tidyInterval) return;
    tidiedAt = now;
    const snapshot = mesh.snapshot();
    if (!snapshot) return;
    const over = [...workloads]
      .filter(([workload, known]) => isOver(known, !snapshot.workloads.has(workload), now))
      .map(([workload]) => workload);
    for (const workload of over) workloads.delete(workload);
    for (const [workload, known] of workloads)
      if (snapshot.workloads.has(workload) && foldUndeclared(known, declaredBy(workload))) known.dirty = true;
    try {
      if (over.length > 0) await store.remove(over);
    } catch (error) {
      log.warn('what is known of the callers of workloads that are gone could not be removed', {
        cause: describeError(error),
      });
    }
  };

  const tidyAndWrite = async () => {
    await tidy();
    await write();
  };

  return {
    open(proxy) {
      const workload = mesh.workloadOf(proxy).id;
      const known = knownOf(workload);
      const stream = known.streams.open(clock.now());
      return {
        workload,
        record(entries) {
          stream.count(entries.length);
          const declared = declaredBy(workload);
          const addresses = watched.get(workload);
          const watch = addresses && { addresses, now: clock.now() };
          for (const entry of entries) addTo(known, entry, declared, watch);
          known.account = received(known.account, entries.length, clock.now());
          heard(known);
        },
        refuse(entries, reason) {
          stream.count(entries);
          known.account = refused(known.account, entries, reason, clock.now());
          heard(known);
        },
        close() {
          stream.close();
          known.account = broken(known.account, clock.now());
          heard(known);
        },
      };
    },
    report(proxyKey, counters) {
      // By its discovery stream, which its certificate has bound to a workload: the agent has the same key.
      const states = mesh.proxiesOf(proxyKey);
      const [state] = states;
      if (!state) return;
      const known = knownOf(state.workload);
      known.account = reported(known.account, counters, {
        arrived: () => known.streams.since(counters.startedAt),
        logging: states.some(hasLoggingListeners),
        now: clock.now(),
      });
      heard(known);
    },
    get(workload) {
      const known = workloads.get(workload);
      if (!known) return undefined;
      known.account = settle(known.account, clock.now());
      const { coverage, confirmedAt, brokenAt, counters } = known.account;
      return { workload, ports: known.ports, coverage, confirmedAt, brokenAt, counters };
    },
    watch(workload, addresses) {
      if (addresses.length === 0) watched.delete(workload);
      else watched.set(workload, new Set(addresses));
    },
    refusals: (workload) =>
      [...(workloads.get(workload)?.ports ?? [])].flatMap(([port, evidence]) =>
        evidence.refused.map((each) => ({ port, ...each })),
      ),
    async start() {
      for (const stored of await store.list()) workloads.set(stored.workload, restored(stored));
      writing = repeatedly(clock, writeInterval, tidyAndWrite);
    },
    async close() {
      await writing?.stop();
      await write();
    },
  };
}
