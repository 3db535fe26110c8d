import { LRUCache } from 'lru-cache';
import type { Refusal, TokenOwner } from './review.ts';

export interface VerdictCacheOptions {
  /** Milliseconds for which an accepted token is remembered, never past its expiry. */
  readonly ttl: number;
  readonly entries: number;
  readonly refusedTtl: number;
  readonly refusedEntries: number;
}

interface Entry<T> {
  readonly value: T;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

/**
 * Remembers reviews for a short while, by a digest of the token. Accepted and refused ones lie apart, so that a flood of
 * junk pushes out junk alone.
 */
export class VerdictCache {
  readonly #options: VerdictCacheOptions;
  readonly #accepted: LRUCache<string, Entry<TokenOwner>>;
  readonly #refused: LRUCache<string, Entry<Refusal>>;

  constructor(options: VerdictCacheOptions) {
    this.#options = options;
    this.#accepted = new LRUCache({ max: Math.max(1, options.entries) });
    this.#refused = new LRUCache({ max: Math.max(1, options.refusedEntries) });
  }

  get(key: string, now: Date): TokenOwner | Refusal | undefined {
    return alive(this.#accepted, key, now) ?? alive(this.#refused, key, now);
  }

  set(key: string, verdict: TokenOwner | Refusal, expiresAt: Date | undefined, now: Date): void {
    if ('refused' in verdict) {
      this.#refused.set(key, { value: verdict, until: now.getTime() + this.#options.refusedTtl });
    } else {
      const until = Math.min(
        now.getTime() + this.#options.ttl,
        expiresAt?.getTime() ?? Number.POSITIVE_INFINITY,
      );
      this.#accepted.set(key, { value: verdict, until });
    }
  }
}

function alive<T>(cache: LRUCache<string, Entry<T>>, key: string, now: Date): T | undefined {
  const entry = cache.get(key);
  if (entry === undefined) return undefined;
  if (now.getTime() < entry.until) return entry.value;
  cache.delete(key);
  return undefined;
}
