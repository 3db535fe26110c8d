import {
  backoffDelay,
  CitadelError,
  type Clock,
  describeError,
  type Entropy,
  isCitadelError,
  type Log,
  toCitadelError,
} from '../../../kernel/index.ts';
import type { ApiClient } from './client.ts';
import { field, text } from './json.ts';
import { listEach, type Query } from './list.ts';

export interface WatchedCollection<T = unknown> {
  /** Asked for before each list and watch. */
  readonly path: string;
  readonly query?: Query;
  /** What is kept of each object; of a list it is called page by page, so that a long one is never held whole. */
  readonly read: (object: unknown) => T;
  /** The whole collection: at the start, and again whenever the thread of changes was lost. */
  onList(objects: readonly T[]): void;
  /** Added or modified. */
  onChange(object: T): void;
  onDelete(object: T): void;
  /** What is known is what the server has: a list or a watch has just begun, or has just told something. */
  onCurrent?(): void;
  /** What is known may be old from now on. Called again when it is tried in vain again. */
  onTrouble?(error: CitadelError): void;
}

export interface WatchContext {
  readonly api: ApiClient;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

const backoff = { baseMilliseconds: 250, maximumMilliseconds: 30_000 };
/** Seconds after which the server ends a watch, and how much longer we wait for that before we end it. */
const serverSeconds = 240;
const graceSeconds = 15;
const steadyMilliseconds = 10_000;

/**
 * Follows a collection (list, then watch) until `signal` is aborted: a broken watch goes on from the version last seen,
 * one whose version is gone (410) begins with a new list, failures are waited out with full jitter. Never throws.
 */
export async function follow<T>(
  collection: WatchedCollection<T>,
  context: WatchContext,
  signal: AbortSignal,
): Promise<void> {
  const { api, clock, entropy, log } = context;
  const { query = {}, read } = collection;
  let version: string | undefined;
  let failures = 0;
  while (!signal.aborted) {
    const started = clock.now().getTime();
    const { path } = collection;
    try {
      if (version === undefined) {
        const list = await listEach(api, path, query, read, signal);
        collection.onList(list.items);
        collection.onCurrent?.();
        version = list.resourceVersion;
      }
      version = await watchFrom(version, collection, context, signal);
    } catch (error) {
      if (signal.aborted) return;
      version = undefined;
      collection.onTrouble?.(toCitadelError(error));
      // What an optional API leaves out is no failure: whoever follows it is told, and decides.
      log[isCitadelError(error, 'NotFound') ? 'debug' : 'warn'](
        'following a Kubernetes collection failed; trying again',
        { path, error: describeError(error), details: isCitadelError(error) ? error.details : undefined },
      );
    }
    // A watch that held for a while is no failure, even when nothing happened in it.
    failures = clock.now().getTime() - started > steadyMilliseconds ? 0 : failures + 1;
    await clock.sleep(backoffDelay(failures, backoff, entropy), signal).catch(() => undefined);
  }
}

/** One watch. @returns the version to go on from; undefined when a new list is needed */
async function watchFrom<T>(
  start: string,
  collection: WatchedCollection<T>,
  { api }: WatchContext,
  signal: AbortSignal,
): Promise<string | undefined> {
  let version = start;
  const query = {
    ...collection.query,
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion: version,
    timeoutSeconds: String(serverSeconds),
  };
  const deadline = AbortSignal.timeout((serverSeconds + graceSeconds) * 1000);
  const current = () => collection.onCurrent?.();
  const events = api.stream(
    { method: 'GET', path: collection.path, query },
    AbortSignal.any([signal, deadline]),
    current,
  );
  for (;;) {
    const next = await events.next();
    if (next.done) {
      const { kind, reason } = next.value;
      if (kind === 'broken' && !signal.aborted) {
        const details = `watch ${collection.path}: ${reason}`;
        collection.onTrouble?.(new CitadelError('Unavailable', 'the watch broke', { details }));
      }
      // A watch that broke is resumed from what was seen last: nothing is missed, whatever broke it.
      return kind === 'gone' ? undefined : version;
    }
    const object = field(next.value, 'object');
    switch (text(next.value, 'type') ?? 'ERROR') {
      case 'ADDED':
      case 'MODIFIED':
        collection.onChange(collection.read(object));
        break;
      case 'DELETED':
        collection.onDelete(collection.read(object));
        break;
      case 'BOOKMARK':
        break;
      default:
        // ERROR: mostly 410 in the stream; after any error of the server a new list is the safe way on.
        return undefined;
    }
    version = text(object, 'metadata', 'resourceVersion') ?? version;
    current();
  }
}
