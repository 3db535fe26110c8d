import type { Clock } from '../../kernel/index.ts';
import type { ReKeyingCounts } from '../ports/index.ts';
import { expectedEnd, firstPace, followedTime, nextPace } from './pace.ts';
import type { HeldLeaf } from './plan.ts';

export interface ReKeyQueueOptions {
  /** Whether leaves of this authority are to be replaced: it is tainted, and another one signs. */
  readonly isSuperseded: (issuer: string) => boolean;
  readonly isBusy: () => boolean;
  /** Told after each look at who has followed. */
  readonly onProgress: (progress: ReKeyingCounts) => void;
  readonly clock: Clock;
}

interface Watched {
  readonly leaf: HeldLeaf;
  readonly order: () => void;
  orderedAt?: number;
  followedAt?: number;
}

/**
 * Places of one proxy at a time: its agent and another client of the same pod. Whoever opens more streams must not keep others from
 * their turn.
 */
const mostOfOneProxy = 2;
/** How often it is looked whether more orders may go out. */
const lookMilliseconds = 500;
/** The time that the rate is made of. */
const rateMilliseconds = 10_000;
/** An order that was not followed by then is given again: the longest that an agent's attempts are apart, and a call's deadline. */
export const followedWithin = 40_000;

/**
 * Orders agents to make new keys, in turn: the next orders go out as those before are followed, so that a fleet comes as fast
 * as the server signs and no faster.
 */
export class ReKeyQueue {
  readonly #options: ReKeyQueueOptions;
  readonly #watched = new Set<Watched>();
  readonly #waiting = new Set<Watched>();
  readonly #out = new Set<Watched>();
  readonly #parting = new Set<Watched>();
  readonly #over = new AbortController();
  #pace = firstPace;
  #looking = false;
  /** When each of late has followed. */
  #times: number[] = [];
  #lookingSince = 0;
  #followed = new Map<string, number>();

  constructor(options: ReKeyQueueOptions) {
    this.#options = options;
  }

  /** @param order is called when the agent's turn has come, and again where it does not follow. @returns stops it */
  watch(leaf: HeldLeaf, order: () => void): () => void {
    const watched: Watched = { leaf, order };
    this.#watched.add(watched);
    this.#enqueue([watched]);
    return () => {
      for (const set of [this.#watched, this.#waiting, this.#out, this.#parting]) set.delete(watched);
      this.#send();
    };
  }

  /** To be called when an authority has been superseded. */
  look(): void {
    this.#enqueue(this.#watched);
  }

  /** To be called with each leaf that was issued: its holder has followed, where it was to. */
  issued({ proxyKey, issuer }: HeldLeaf): void {
    if (this.#options.isSuperseded(issuer)) return;
    // One of them: two clients of one pod are the same holder, and each comes by itself.
    for (const set of [this.#out, this.#waiting])
      for (const watched of set)
        if (watched.leaf.proxyKey === proxyKey) {
          this.#follow(watched);
          this.#send();
          return;
        }
  }

  /** @param issuer the fingerprint of the tainted authority; of all of them without it */
  counts(issuer?: string): ReKeyingCounts {
    const under = (set: ReadonlySet<Watched>) =>
      issuer === undefined ? set.size : [...set].filter(({ leaf }) => leaf.issuer === issuer).length;
    const [waiting, ordered] = [under(this.#waiting), under(this.#out)];
    const followed =
      issuer === undefined
        ? [...this.#followed.values()].reduce((sum, count) => sum + count, 0)
        : (this.#followed.get(issuer) ?? 0);
    const now = this.#options.clock.now();
    const time = Math.min(rateMilliseconds, now.getTime() - this.#lookingSince);
    const perSecond = time < lookMilliseconds ? 0 : this.#followedIn(time) / (time / 1000);
    // All wait in one line.
    const end = expectedEnd(this.#waiting.size + this.#out.size, perSecond, now);
    return { waiting, ordered, followed, perSecond, expectedEnd: end };
  }

  close(): void {
    this.#over.abort();
  }

  #enqueue(candidates: Iterable<Watched>): void {
    for (const watched of candidates)
      if (
        this.#options.isSuperseded(watched.leaf.issuer) &&
        !this.#out.has(watched) &&
        !this.#parting.has(watched)
      )
        this.#waiting.add(watched);
    this.#send();
    if (this.#left > 0 && !this.#looking) void this.#keepLooking();
  }

  #follow(watched: Watched): void {
    this.#waiting.delete(watched);
    this.#out.delete(watched);
    // Its stream is on its way out with its leaf; if not, it was another one that came.
    this.#parting.add(watched);
    watched.followedAt = this.#options.clock.now().getTime();
    this.#times.push(this.#options.clock.now().getTime());
    const { issuer } = watched.leaf;
    this.#followed.set(issuer, (this.#followed.get(issuer) ?? 0) + 1);
  }

  #send(): void {
    if (this.#waiting.size === 0) return;
    const now = this.#options.clock.now().getTime();
    const held = new Map<string, number>();
    for (const { leaf } of this.#out) held.set(leaf.proxyKey, (held.get(leaf.proxyKey) ?? 0) + 1);
    for (const watched of this.#waiting) {
      if (this.#out.size >= this.#pace.limit) return;
      const { proxyKey } = watched.leaf;
      const places = held.get(proxyKey) ?? 0;
      if (places >= mostOfOneProxy) continue;
      held.set(proxyKey, places + 1);
      this.#waiting.delete(watched);
      this.#out.add(watched);
      watched.orderedAt = now;
      watched.order();
    }
  }

  async #keepLooking(): Promise<void> {
    const { clock, isBusy, onProgress } = this.#options;
    this.#looking = true;
    this.#lookingSince = clock.now().getTime();
    this.#times = [];
    while (this.#left > 0 && !this.#over.signal.aborted) {
      onProgress(this.counts());
      await clock.sleep(lookMilliseconds, this.#over.signal).catch(() => undefined);
      const now = clock.now().getTime();
      const oldest = this.#times.findIndex((at) => at >= now - rateMilliseconds);
      this.#times.splice(0, oldest < 0 ? this.#times.length : oldest);
      this.#askAgain();
      this.#pace = nextPace(this.#pace, {
        out: this.#out.size,
        followedLately: now - this.#lookingSince < followedTime ? undefined : this.#followedIn(followedTime),
        waiting: this.#waiting.size > 0,
        busy: isBusy(),
      });
      this.#send();
    }
    onProgress(this.counts());
    this.#pace = firstPace;
    this.#looking = false;
  }

  get #left(): number {
    return this.#waiting.size + this.#out.size + this.#parting.size;
  }

  #followedIn(milliseconds: number): number {
    const since = this.#options.clock.now().getTime() - milliseconds;
    return this.#times.filter((at) => at >= since).length;
  }

  /** Who has not followed gives his place to the next, and is told again in his turn. */
  #askAgain(): void {
    const before = this.#options.clock.now().getTime() - followedWithin;
    for (const watched of this.#out)
      if ((watched.orderedAt ?? 0) <= before) {
        this.#out.delete(watched);
        this.#waiting.add(watched);
      }
    for (const watched of this.#parting)
      if ((watched.followedAt ?? 0) <= before) {
        this.#parting.delete(watched);
        this.#waiting.add(watched);
        const { issuer } = watched.leaf;
        this.#followed.set(issuer, (this.#followed.get(issuer) ?? 1) - 1);
      }
  }
}
