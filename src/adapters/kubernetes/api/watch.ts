import {
  backoffDelay,
  type Clock,
  describeError,
  type Entropy,
  isCitadelError,
  type Log,
} from '../../../kernel/index.ts';
import type { ApiClient } from './client.ts';
import { field, text } from './json.ts';
import { listAll } from './list.ts';

export interface WatchedCollection {
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** The whole collection: at the start, and again whenever the thread of changes was lost. */
  onList(objects: readonly unknown[]): void;
  /** Added or modified. */
  onChange(object: unknown): void;
  onDelete(object: unknown): void;
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
export async function follow(
  collection: WatchedCollection,
  context: WatchContext,
  signal: AbortSignal,
): Promise<void> {
  const { clock, entropy, log } = context;
  let version: string | undefined;
  let failures = 0;
  while (!signal.aborted) {
    const started = clock.now().getTime();
    try {
      if (version === undefined) {
        const list = await listAll(context.api, collection.path, collection.query ?? {}, signal);
        collection.onList(list.items);
        version = list.resourceVersion;
      }
      version = await watchFrom(version, collection, context, signal);
    } catch (error) {
      if (signal.aborted) return;
      version = undefined;
      log.warn('following a Kubernetes collection failed; trying again', {
        path: collection.path,
        error: describeError(error),
        details: isCitadelError(error) ? error.details : undefined,
      });
    }
    // A watch that held for a while is no failure, even when nothing happened in it.
    failures = clock.now().getTime() - started > steadyMilliseconds ? 0 : failures + 1;
    await clock.sleep(backoffDelay(failures, backoff, entropy), signal).catch(() => undefined);
  }
}

/** One watch. @returns the version to go on from; undefined when a new list is needed */
async function watchFrom(
  start: string,
  collection: WatchedCollection,
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
  const events = api.stream(
    { method: 'GET', path: collection.path, query },
    AbortSignal.any([signal, deadline]),
  );
  for (;;) {
    const next = await events.next();
    // A watch that broke is resumed from what was seen last: nothing is missed, whatever broke it.
    if (next.done) return next.value === 'gone' ? undefined : version;
    const object = field(next.value, 'object');
    switch (text(next.value, 'type') ?? 'ERROR') {
      case 'ADDED':
      case 'MODIFIED':
        collection.onChange(object);
        break;
      case 'DELETED':
        collection.onDelete(object);
        break;
      case 'BOOKMARK':
        break;
      default:
        // ERROR: mostly 410 in the stream; after any error of the server a new list is the safe way on.
        return undefined;
    }
    version = text(object, 'metadata', 'resourceVersion') ?? version;
  }
}
