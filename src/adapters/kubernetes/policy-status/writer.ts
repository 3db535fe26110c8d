import { debounce, type PolicyStatus } from '../../../domain/mesh/index.ts';
import { policyHash, policyKeyOf } from '../../../domain/policy/index.ts';
import { describeError } from '../../../kernel/index.ts';
import type { Cluster } from '../cluster.ts';
import { Informer, type PolicyCollection, policyCollections } from '../mesh/index.ts';
import { WorkQueue } from '../work-queue.ts';
import { type Condition, conditionsOf, type Standing } from './conditions.ts';
import { dueAt, fast, type LastWrite } from './due.ts';
import { type PolicyReading, type PolicyRecord, readRecord } from './record.ts';
import { writeConditions } from './write.ts';

export interface PolicyStatusWriterOptions {
  readonly cluster: Cluster;
  /** As the mesh source of the cluster reads policies. */
  readonly readPolicy: (object: unknown) => PolicyReading;
  readonly statuses: () => readonly PolicyStatus[];
  /** Calls whenever they may have changed. @returns what ends that */
  readonly onProgress: (listener: () => void) => () => void;
}

/** Milliseconds: changes are looked at after this long without another, or after the second number in any case. */
const quiet = 500;
const atMost = 2_000;
/** At once, each for so many milliseconds at least: some 20 writes a second. */
const concurrency = 4;
const turn = 200;

/**
 * Tells in the status of a cluster's policies what became of them, until the signal is aborted. What is written comes
 * back by the watch and is found to be as it should: that ends it. Never rejects.
 */
export async function writePolicyStatuses(
  options: PolicyStatusWriterOptions,
  signal: AbortSignal,
): Promise<void> {
  const { cluster, readPolicy, statuses, onProgress } = options;
  const { api, clock, entropy, clusterId } = cluster;
  const log = cluster.log.with({ writer: 'policy-status' });
  const source = `kubernetes/${clusterId}`;
  const last = new Map<string, LastWrite>();
  const noticed = new Map<string, number>();
  /** When the next look at an object is due. */
  const waiting = new Map<string, number>();
  let standings: ReadonlyMap<string, Standing> = new Map();
  let progressed = true;

  const look = debounce(() => lookAtAll(), {
    quiet,
    atMost,
    clock,
    failed: (error) =>
      log.error('the status of policies could not be worked out', { cause: describeError(error) }),
  });
  const informers = policyCollections.map((collection) => ({
    collection,
    informer: new Informer({
      ...collection,
      optional: true,
      read: (object) => ({ value: readRecord(object, collection, readPolicy), problems: [] }),
      changed: () => look.call(),
      clock,
      log,
    }),
  }));

  function find(
    key: string,
  ): { readonly record: PolicyRecord; readonly collection: PolicyCollection } | undefined {
    const [kind = '', ...rest] = key.split('/');
    const found = informers.find(({ collection }) => collection.kind === kind);
    const record = found?.informer.values?.get(rest.join('/'));
    return found && record && { record, collection: found.collection };
  }

  /** What is to be written of an object and when; undefined where nothing is. */
  function decide(
    key: string,
    record: PolicyRecord,
  ): { wanted: readonly Condition[]; at: number } | undefined {
    const wanted = conditionsOf(record, standings.get(key), source);
    const since = noticed.get(key) ?? clock.now().getTime();
    const written = last.get(key);
    const own = written?.uid === record.uid ? written : undefined;
    const at = wanted && dueAt(wanted, record.stored, own, since);
    if (wanted === undefined || at === undefined) {
      noticed.delete(key);
      return undefined;
    }
    noticed.set(key, since);
    return { wanted, at };
  }

  function lookAtAll(): void {
    if (progressed) {
      progressed = false;
      standings = standingsOf(statuses());
    }
    const there = new Set<string>();
    for (const { collection, informer } of informers) {
      for (const [name, record] of informer.values ?? []) {
        const key = `${collection.kind}/${name}`;
        there.add(key);
        const due = decide(key, record);
        if (due) later(key, due.at);
      }
    }
    for (const known of [last, noticed])
      for (const key of known.keys()) if (!there.has(key)) known.delete(key);
  }

  function later(key: string, at: number): void {
    const delay = at - clock.now().getTime();
    if (delay <= 0) return queue.add(key);
    if ((waiting.get(key) ?? Number.POSITIVE_INFINITY) <= at) return;
    waiting.set(key, at);
    void lookAfter(key, at, delay);
  }

  async function lookAfter(key: string, at: number, delay: number): Promise<void> {
    await clock.sleep(delay, signal).catch(() => undefined);
    if (waiting.get(key) === at) waiting.delete(key);
    if (!signal.aborted) queue.add(key);
  }

  const queue = new WorkQueue({
    what: 'writing the status of a policy',
    concurrency,
    clock,
    entropy,
    log,
    signal,
    async work(key) {
      // Looked at anew: it may have waited for long.
      const found = find(key);
      const due = found && decide(key, found.record);
      const now = clock.now();
      if (!found || !due) return;
      if (due.at > now.getTime()) return later(key, due.at);
      try {
        const { record, collection } = found;
        const write = { record, plural: collection.what, conditions: due.wanted, now };
        const outcome = await writeConditions(api, write, signal);
        if (outcome === 'changed') return later(key, now.getTime() + fast);
        // One that has no status is not tried again before it changes.
        const stored = outcome === 'gone' ? record.stored : outcome.stored;
        last.set(key, { uid: record.uid, at: now.getTime(), wanted: due.wanted, stored });
      } finally {
        await clock.sleep(turn, signal).catch(() => undefined);
      }
    },
  });

  const stop = onProgress(() => {
    progressed = true;
    look.call();
  });
  const context = { api, clock, entropy, log };
  await Promise.all(informers.map(({ informer }) => informer.run(context, signal)));
  stop();
  look.close();
}

function standingsOf(statuses: readonly PolicyStatus[]): ReadonlyMap<string, Standing> {
  return new Map(
    statuses.map((status) => {
      return [policyKeyOf(status.policy), { status, hash: policyHash(status.policy) }];
    }),
  );
}
