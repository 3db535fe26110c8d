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
import type { AccessLogSink, ShadowSeen, ShadowStore } from '../ports/index.ts';
import type { ShadowWatch } from './model.ts';
import { Observations } from './observations.ts';
import { watchInterval } from './watches.ts';

export interface ShadowObserver extends AccessLogSink {
  /** What all servers have counted of this candidate, once this one has written down what it has. */
  seen(candidate: string): Promise<ShadowSeen>;
  /** Writes what is counted, in batches, until `close`. */
  start(): void;
  close(): Promise<void>;
}

export interface ShadowObserverOptions {
  readonly mesh: Pick<ControlPlane, 'snapshot' | 'trialOf' | 'onProgress'>;
  /** Who else is told of the same entries. */
  readonly sink: AccessLogSink;
  readonly store: ShadowStore;
  readonly entropy: Entropy;
  readonly clock: Clock;
  readonly log: Log;
}

/** Milliseconds: what a server that was killed has not written is lost. */
const writeInterval = 2_000;

/** Workloads in one transaction, which holds up all else. */
const batch = 500;

/** What one server counts of one candidate. */
interface Watching {
  readonly candidate: string;
  readonly id: string;
  readonly since: Date;
  readonly observations: Observations;
  /** When that it watches was last written down. */
  saidAt: Date | undefined;
}

/** Reads from access logs on which calls the policies that hold and those that are tried disagree. */
export function createShadowObserver(options: ShadowObserverOptions): ShadowObserver {
  const { mesh, sink, store, entropy, clock, log } = options;
  let watching: Watching | undefined;
  let writing: Repetition | undefined;

  const begin = (candidate: string): Watching => ({
    candidate,
    id: Buffer.from(entropy.bytes(16)).toString('hex'),
    since: clock.now(),
    observations: new Observations(),
    saidAt: undefined,
  });
  const follow = () => {
    const candidate = mesh.snapshot()?.candidate?.id;
    if (watching?.candidate !== candidate) watching = candidate === undefined ? undefined : begin(candidate);
    return watching;
  };

  const save = async (current: Watching, closed: boolean) => {
    const { candidate, id, since, observations } = current;
    const now = clock.now();
    const left = [...observations.take()];
    try {
      do {
        const isLast = left.length <= batch;
        const until = isLast ? now : (current.saidAt ?? since);
        const watch: ShadowWatch = { id, since, until, closed: closed && isLast };
        await store.add(candidate, watch, left.slice(0, batch));
        left.splice(0, batch);
      } while (left.length > 0);
      current.saidAt = now;
    } catch (error) {
      for (const tally of left) observations.put(tally);
      throw error;
    }
  };
  /** One after the other, so that whoever reads afterwards reads all that was counted before. */
  const oneByOne = inTurn();
  const write = (closed = false) =>
    oneByOne(async () => {
      const current = follow();
      if (!current) return;
      const isDue = clock.now().getTime() - (current.saidAt?.getTime() ?? 0) >= watchInterval;
      if (closed || isDue || !current.observations.isEmpty) await save(current, closed);
    });
  const tryToWrite = (closed = false) =>
    write(closed).catch((error: unknown) => {
      log.warn('what was seen of the candidate could not be written; it is tried again', {
        cause: describeError(error),
      });
    });

  mesh.onProgress(follow);
  return {
    ...interposed(sink, (session, entries) => {
      if (entries.some(({ shadow }) => shadow !== undefined)) {
        const current = follow();
        const trial = mesh.trialOf(session.workload);
        const now = clock.now();
        for (const entry of entries) current?.observations.add(session.workload, trial, entry, now);
      }
      session.record(entries);
    }),
    async seen(candidate) {
      await write();
      return store.seen(candidate);
    },
    start() {
      writing = repeatedly(clock, writeInterval, tryToWrite);
    },
    async close() {
      await writing?.stop();
      await tryToWrite(true);
    },
  };
}
