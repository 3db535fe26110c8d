import { type Clock, describeError, type Log } from '../../kernel/index.ts';
import type { ControlPlane } from '../mesh/index.ts';
import type { AccessLogEntry, AccessLogSink, EvidenceStore } from '../ports/index.ts';
import { type Account, broken, newAccount, received, reported, settle } from './account.ts';
import { addEntry, noCalls } from './calls.ts';
import type { PortEvidence, ProxyCounters, WorkloadEvidence } from './model.ts';
import { hasLoggingListeners } from './modes.ts';
import { StreamCounts } from './stream-counts.ts';

export interface EvidenceOptions {
  readonly mesh: Pick<ControlPlane, 'workloadOf' | 'proxiesOf'>;
  readonly store: EvidenceStore;
  readonly clock: Clock;
  readonly log: Log;
}

export interface EvidenceService extends AccessLogSink {
  /** What an agent reads of the Envoy beside it; kept for the workload for which that Envoy speaks. */
  report(proxyKey: string, counters: ProxyCounters): void;
  /** Undefined where nothing has been heard of this workload. */
  get(workload: string): WorkloadEvidence | undefined;
  /** Reads what was known before; writes what changes, in batches, until `close`. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** What a proxy that was killed has logged and not told is lost without a trace: at most this long ago. */
const writeInterval = 2_000;
/** After this nothing that was seen concerns any window. */
const retention = 7 * 86_400_000;

interface Known {
  account: Account;
  readonly ports: Map<number, PortEvidence>;
  readonly streams: StreamCounts;
  dirty: boolean;
}

/** Keeps who calls whom without mutual TLS, and since when nothing of it can have been missed. */
export function createEvidenceService({ mesh, store, clock, log }: EvidenceOptions): EvidenceService {
  const workloads = new Map<string, Known>();
  const stopping = new AbortController();
  let writing: Promise<void> = Promise.resolve();

  const knownOf = (workload: string): Known => {
    let known = workloads.get(workload);
    if (!known) {
      known = { account: newAccount, ports: new Map(), streams: new StreamCounts(), dirty: false };
      workloads.set(workload, known);
    }
    return known;
  };

  const record = (known: Known, entries: readonly AccessLogEntry[]) => {
    for (const entry of entries)
      known.ports.set(entry.port, addEntry(known.ports.get(entry.port) ?? noCalls, entry));
    known.account = received(known.account, entries.length, clock.now());
    known.dirty = true;
  };

  const write = async () => {
    const changed = [...workloads].filter(([, { dirty }]) => dirty);
    if (changed.length === 0) return;
    const updatedAt = clock.now();
    const rows = changed.map(([workload, { account, ports }]) => ({
      workload,
      account,
      ports: new Map(ports),
      updatedAt,
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

  const writeNowAndThen = async () => {
    while (!stopping.signal.aborted) {
      await clock.sleep(writeInterval, stopping.signal).catch(() => undefined);
      await write();
    }
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
          record(known, entries);
        },
        close() {
          stream.close();
          known.account = broken(known.account, clock.now());
          known.dirty = true;
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
      known.dirty = true;
    },
    get(workload) {
      const known = workloads.get(workload);
      if (!known) return undefined;
      known.account = settle(known.account, clock.now());
      const { coverage, confirmedAt, brokenAt, counters } = known.account;
      return { workload, ports: known.ports, coverage, confirmedAt, brokenAt, counters };
    },
    async start() {
      await store.prune(new Date(clock.now().getTime() - retention));
      for (const { workload, account, ports } of await store.list())
        workloads.set(workload, {
          account,
          ports: new Map(ports),
          streams: new StreamCounts(),
          dirty: false,
        });
      writing = writeNowAndThen();
    },
    async close() {
      stopping.abort();
      await writing;
      await write();
    },
  };
}
