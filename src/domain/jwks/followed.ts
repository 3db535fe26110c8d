import {
  CitadelError,
  type Clock,
  describeError,
  type Entropy,
  isCitadelError,
  type Log,
} from '../../kernel/index.ts';
import type { JwksSource, KeySetArchive, KeySetLocation, Metrics } from '../ports/index.ts';
import { describeLocation, providerOf, type WantedKeySet } from './location.ts';
import { readKeySet } from './read.ts';
import { boundedTimeout, pauseBeforeNext } from './schedule.ts';
import type { Turns } from './turns.ts';

/** How far the keys of one location can be believed. */
export interface KeySetState {
  readonly location: KeySetLocation;
  /** When its keys were last seen to be what they are; undefined: there are none, and every token is refused. */
  readonly fetchedAt: Date | undefined;
  /** Why the last look failed; undefined where it did not. Keys that are there stay, however old. */
  readonly problem: string | undefined;
}

export interface FollowOptions {
  readonly source: JwksSource;
  readonly archive: KeySetArchive;
  readonly refresh: number;
  readonly turns: Turns;
  /** @param keys whether other keys hold now, or it has become clear that there are none */
  readonly changed: (keys: boolean) => void;
  readonly metrics: Pick<Metrics, 'keySetFetched'>;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

/** One location, looked at again and again until it is stopped. */
export class FollowedKeySet {
  /** Milliseconds; may change as policies do. */
  timeout: number;
  /** Resolves when it is not pending any more. */
  readonly settled: Promise<void>;
  readonly #wanted: WantedKeySet;
  readonly #options: FollowOptions;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  #resolve = () => {};
  #pending = true;
  #jwks: string | undefined;
  #fetchedAt: Date | undefined;
  #problem: string | undefined;
  #failures = 0;

  constructor(wanted: WantedKeySet, options: FollowOptions) {
    this.timeout = wanted.timeout;
    this.#wanted = wanted;
    this.#options = options;
    this.settled = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#running = this.#run();
  }

  get jwks(): string | undefined {
    return this.#jwks;
  }

  get pending(): boolean {
    return this.#pending;
  }

  get state(): KeySetState {
    return { location: this.#wanted.location, fetchedAt: this.#fetchedAt, problem: this.#problem };
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, entropy, refresh } = this.#options;
    const { signal } = this.#stopping;
    await this.#recall();
    while (!signal.aborted) {
      await this.#look();
      const pause = pauseBeforeNext(this.#failures, refresh, entropy);
      await clock.sleep(pause, signal).catch(() => undefined);
    }
    this.#settle();
  }

  /** With keys of an earlier run there is nothing to wait for; they are only as old as their next look. */
  async #recall(): Promise<void> {
    const { archive, source, changed, log } = this.#options;
    try {
      // What the operator has taken from the list is not believed any more, rather than for ever.
      if (!source.allows(this.#wanted.location)) return;
      const kept = await archive.load(this.#wanted.id);
      if (!kept || this.#stopping.signal.aborted) return;
      this.#jwks = readKeySet(kept.jwks).jwks;
      this.#fetchedAt = kept.fetchedAt;
      this.#settle();
      changed(true);
    } catch (error) {
      log.warn('keys that were kept cannot be read; they are fetched anew', {
        keys: describeLocation(this.#wanted.location),
        reason: describeError(error),
      });
    }
  }

  async #look(): Promise<void> {
    const { source, turns, metrics, clock } = this.#options;
    const { location } = this.#wanted;
    const { signal } = this.#stopping;
    const begun = performance.now();
    // Its turn is waited for within the same time, so that whoever waits for the first look is not held up for longer.
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(boundedTimeout(this.timeout))]);
    try {
      const text = await turns.run(providerOf(location), deadline, () => source.fetch(location, deadline));
      const { jwks } = readKeySet(text);
      if (signal.aborted) return;
      metrics.keySetFetched(true, performance.now() - begun);
      await this.#take(jwks, clock.now());
    } catch (error) {
      if (signal.aborted) return;
      metrics.keySetFetched(false, performance.now() - begun);
      this.#fail(deadline.aborted ? timedOut() : error);
    }
  }

  async #take(jwks: string, fetchedAt: Date): Promise<void> {
    const { archive, changed, log } = this.#options;
    const keys = describeLocation(this.#wanted.location);
    if (this.#problem !== undefined) log.info('keys are fetched again', { keys });
    const other = this.#jwks !== jwks;
    this.#failures = 0;
    this.#problem = undefined;
    this.#fetchedAt = fetchedAt;
    this.#jwks = jwks;
    this.#settle();
    changed(other);
    try {
      await archive.save(this.#wanted.id, { jwks, fetchedAt });
    } catch (error) {
      log.warn('keys could not be kept for the next start', { keys, reason: describeError(error) });
    }
  }

  #fail(error: unknown): void {
    const { changed, log } = this.#options;
    const reason = isCitadelError(error) ? error.message : 'the look failed; the server log has the cause';
    if (this.#problem !== reason) {
      log.warn('keys could not be fetched; those that are there stay', {
        keys: describeLocation(this.#wanted.location),
        reason: describeError(error),
        lastFetched: this.#fetchedAt?.toISOString() ?? 'never',
      });
    }
    this.#failures += 1;
    this.#problem = reason;
    const first = this.#pending;
    this.#settle();
    changed(first);
  }

  #settle(): void {
    this.#pending = false;
    this.#resolve();
  }
}

function timedOut(): CitadelError {
  return new CitadelError('DeadlineExceeded', 'there was no whole answer in time');
}
