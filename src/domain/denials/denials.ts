import {
  type Clock,
  describeError,
  type Entropy,
  inTurn,
  type Log,
  type Repetition,
  repeatedly,
} from '../../kernel/index.ts';
import { interposed } from '../evidence/index.ts';
import type { ControlPlane } from '../mesh/index.ts';
import { holdingVersion } from '../policy/index.ts';
import type {
  AccessLogEntry,
  AccessLogSink,
  DecidedBy,
  DenialLimits,
  DenialQuery,
  DenialStore,
  Page,
} from '../ports/index.ts';
import type { DenialRecord } from './model.ts';
import { RecentDenials } from './recent.ts';

export interface Denials extends AccessLogSink {
  /** @param id that a denied caller was given; undefined for one that is not known, or no longer */
  get(id: string): Promise<DenialRecord | undefined>;
  /** Newest first. @throws CitadelError InvalidArgument for a page of another query */
  find(query: DenialQuery): Promise<Page<DenialRecord>>;
  /** Writes what comes, in batches, until `close`. */
  start(): void;
  close(): Promise<void>;
}

export interface DenialsOptions {
  readonly mesh: Pick<ControlPlane, 'snapshot'>;
  /** Who else is told of the same entries. */
  readonly sink: AccessLogSink;
  /** By what an entry was decided; undefined where its proxy does not tell. */
  readonly decidedBy: (entry: AccessLogEntry) => DecidedBy | undefined;
  readonly store: DenialStore;
  readonly entropy: Entropy;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: DenialLimits;
}

const stored: DenialLimits = { inAll: 10_000, perWorkload: 500, perCaller: 50 };
/** That wait to be written: anybody can be denied, as often as he likes, and must not make a store write as much. */
const waiting: DenialLimits = { inAll: 250, perWorkload: 100, perCaller: 50 };
/** Milliseconds. */
const retention = 24 * 3_600_000;
/** What a server that was killed has not written is lost. */
const writeInterval = 1_000;
const tidyInterval = 600_000;
/** In one transaction, which holds up all else. */
const batch = 250;

/**
 * Keeps what was denied by the names that callers were given, for a while; what has none, as a connection that is not HTTP,
 * gets one here, so that it can be asked about all the same.
 */
export function createDenials(options: DenialsOptions): Denials {
  const { mesh, sink, decidedBy, store, entropy, clock, log, limits = stored } = options;
  const unwritten = new RecentDenials({
    ...waiting,
    perCaller: Math.min(waiting.perCaller, limits.perCaller),
  });
  const oneByOne = inTurn();
  let writing: Repetition | undefined;
  let tidiedAt = new Date(0);

  const add = (entry: AccessLogEntry): void => {
    const { shadow: _, marks: __, denial, ...told } = entry;
    if (!denial) return;
    const snapshot = mesh.snapshot();
    unwritten.add({
      entry: { ...told, denial: { ...denial, id: denial.id ?? nameOf(entropy) } },
      serviceAccount: snapshot?.workloads.get(entry.workload)?.serviceAccount,
      policiesVersion: snapshot && holdingVersion(snapshot, entry.workload),
      decidedBy: decidedBy(entry),
      told: clock.now(),
    });
  };

  const write = () =>
    oneByOne(async () => {
      // Those that have proved who they are, and the others; no more, however many come meanwhile.
      for (let batches = 2; batches > 0 && unwritten.size > 0; batches -= 1) {
        const records = unwritten.take(batch);
        try {
          await store.save(records, limits);
        } catch (error) {
          for (const record of records) unwritten.add(record);
          throw error;
        }
      }
    });

  const tidy = async () => {
    const now = clock.now();
    if (now.getTime() - tidiedAt.getTime() < tidyInterval) return;
    tidiedAt = now;
    await store.prune(new Date(now.getTime() - retention));
  };

  const attempt = (work: () => Promise<void>) =>
    work().catch((error: unknown) => {
      log.warn('denials could not be written; it is tried again', { cause: describeError(error) });
    });

  const writeAndTidy = async () => {
    await attempt(write);
    await attempt(tidy);
  };

  const isKept = ({ told }: DenialRecord) => clock.now().getTime() - told.getTime() < retention;

  return {
    ...interposed(sink, (session, entries) => {
      session.record(entries);
      for (const entry of entries) add(entry);
    }),
    async get(id) {
      await attempt(write);
      const record = (await store.get(id)) ?? unwritten.get(id);
      return record && isKept(record) ? record : undefined;
    },
    async find(query) {
      await attempt(write);
      const page = await store.find(query);
      return { ...page, items: page.items.filter(isKept) };
    },
    start() {
      writing = repeatedly(clock, writeInterval, writeAndTidy);
    },
    async close() {
      await writing?.stop();
      await attempt(write);
    },
  };
}

/** Of the form in which proxies draw theirs: a UUID of version 4 (RFC 9562, 5.4). */
function nameOf(entropy: Entropy): string {
  const bytes = Buffer.from(entropy.bytes(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
