import {
  type Clock,
  describeError,
  type Log,
  once,
  type Repetition,
  repeatedly,
} from '../../kernel/index.ts';
import { interposed } from '../evidence/index.ts';
import type { ControlPlane, Workload } from '../mesh/index.ts';
import { stableLabels } from '../policy/index.ts';
import type { AccessLogEntry, AccessLogSink, DecisionRecordStore } from '../ports/index.ts';
import { decidingRules } from './decided-by.ts';
import { defaultRecordLimits, type RecordLimits } from './fold.ts';
import { identityOfEntry } from './from-entry.ts';
import { periodOf } from './period.ts';
import { type Callee, PeriodCounts } from './period-counts.ts';

export interface RecorderOptions {
  readonly mesh: Pick<ControlPlane, 'snapshot'>;
  /** Knows for which workload a proxy may speak. */
  readonly sink: AccessLogSink;
  readonly store: DecisionRecordStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: RecordLimits;
}

/** Keeps what proxies tell of decisions, and hands all on to the sink. */
export interface DecisionRecorder extends AccessLogSink {
  /** Goes on with what was counted before; writes what changes, in batches, until `close`. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Milliseconds. */
const retention = 7 * 86_400_000;
/** In all; of more the oldest periods go first, and are counted. */
const mostRecords = 250_000;
/** What a server that was killed has not written is lost: at most this long ago. */
const writeInterval = 2_000;
const tidyInterval = 600_000;
/** In one transaction, which holds up all else. */
const batch = 500;
const batchesAtOnce = 8;

export function createDecisionRecorder(options: RecorderOptions): DecisionRecorder {
  const { mesh, sink, store, clock, log, limits = defaultRecordLimits } = options;
  let current = new PeriodCounts(periodOf(clock.now()), limits);
  let before: PeriodCounts | undefined;
  let writing: Repetition | undefined;
  let tidiedAt = new Date(0);

  const countsAt = (now: Date): PeriodCounts => {
    const period = periodOf(now);
    if (period > current.period) {
      before = current;
      current = new PeriodCounts(period, limits);
    }
    return current;
  };

  const record = (workload: string, entries: readonly AccessLogEntry[]) => {
    const now = clock.now();
    const counts = countsAt(now);
    const callee = calleeOf(mesh.snapshot()?.workloads.get(workload));
    for (const entry of entries) addEntry(counts, entry, callee, now);
  };

  /** @returns whether there may be more */
  const writeBatch = async (counts: PeriodCounts): Promise<boolean> => {
    const records = counts.take(batch);
    if (records.length === 0) return false;
    try {
      await store.save(records);
      return records.length === batch;
    } catch (error) {
      counts.giveBack(records);
      log.warn('recorded decisions could not be written; it is tried again', { cause: describeError(error) });
      return false;
    }
  };

  const writeAll = async (counts: PeriodCounts, batches: number) => {
    let left = batches;
    while (left > 0 && (await writeBatch(counts))) left -= 1;
  };

  const write = async (batches: number) => {
    if (before) await writeAll(before, batches);
    await writeAll(current, batches);
    if (before?.isSaved) before = undefined;
  };

  const tidy = async () => {
    const now = clock.now();
    if (now.getTime() - tidiedAt.getTime() < tidyInterval) return;
    tidiedAt = now;
    try {
      await store.prune(new Date(now.getTime() - retention), mostRecords);
    } catch (error) {
      log.warn('old recorded decisions could not be removed', { cause: describeError(error) });
    }
  };

  const writeAndTidy = async () => {
    await write(batchesAtOnce);
    await tidy();
  };

  return {
    ...interposed(sink, (session, entries) => {
      session.record(entries);
      record(session.workload, entries);
    }),
    async start() {
      const since = current.period;
      let pageToken: string | undefined;
      do {
        const page = await store.find({
          since,
          limit: 1000,
          ...(pageToken === undefined ? {} : { pageToken }),
        });
        for (const each of page.items) if (each.period.getTime() === since.getTime()) current.restore(each);
        pageToken = page.nextPageToken;
      } while (pageToken !== undefined);
      writing = repeatedly(clock, writeInterval, writeAndTidy);
    },
    async close() {
      await writing?.stop();
      await write(Number.POSITIVE_INFINITY);
    },
  };
}

interface KnownCallee extends Callee {
  readonly declared: ReadonlySet<number>;
}

const labelsOf = once(({ labels }: Workload) => stableLabels(labels));

function calleeOf(workload: Workload | undefined): KnownCallee {
  return {
    serviceAccount: workload?.serviceAccount,
    labels: workload ? labelsOf(workload) : {},
    declared: new Set(workload?.ports.map(({ port }) => port)),
  };
}

function addEntry(
  counts: PeriodCounts,
  entry: AccessLogEntry,
  { declared, ...callee }: KnownCallee,
  now: Date,
): void {
  const identity = (told: AccessLogEntry, by?: string) => identityOfEntry(told, declared, counts.period, by);
  // A word at the end of what was told of at its start as allowed: it was not, or nothing took it.
  if (!entry.first && entry.decision !== 'allowed') {
    const told = identity({ ...entry, decision: 'allowed', policy: undefined, rule: undefined });
    if (told) counts.takeBack(told);
  }
  const own = entry.first || entry.decision === 'denied' ? identity(entry, decidingRules(entry)) : undefined;
  if (own) counts.add(own, callee, entry.callerAddress, now);
}
