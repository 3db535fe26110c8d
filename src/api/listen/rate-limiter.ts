export interface RateLimiterOptions {
  /** Tokens that come back each second. */
  readonly perSecond: number;
  /** Tokens that a key has at first and at most; at least 1. */
  readonly burst: number;
  /** Keys that are remembered; the one unused for longest is forgotten first, and begins anew. */
  readonly keys: number;
}

export interface RateLimiter {
  /** @param now milliseconds of a clock that never goes back @returns whether there was a token left for this key */
  take(key: string, now: number): boolean;
  /** Takes what a call turned out to cost beyond its token, whether it is there or not. */
  charge(key: string, now: number, tokens: number): void;
}

interface Bucket {
  readonly tokens: number;
  readonly at: number;
}

/** A token bucket a key, in bounded memory. */
export function createRateLimiter({ perSecond, burst, keys }: RateLimiterOptions): RateLimiter {
  // A Map keeps the order of insertion: what is taken from is put in again, so the first is the oldest.
  const buckets = new Map<string, Bucket>();
  const tokensOf = (key: string, now: number) => {
    const known = buckets.get(key);
    return known ? Math.min(burst, known.tokens + ((now - known.at) / 1000) * perSecond) : burst;
  };
  const put = (key: string, bucket: Bucket) => {
    buckets.delete(key);
    buckets.set(key, bucket);
    if (buckets.size <= keys) return;
    const [oldest] = buckets.keys();
    if (oldest !== undefined) buckets.delete(oldest);
  };
  return {
    take(key, now) {
      const tokens = tokensOf(key, now);
      const allowed = tokens >= 1;
      put(key, { tokens: allowed ? tokens - 1 : tokens, at: now });
      return allowed;
    },
    charge: (key, now, cost) => put(key, { tokens: tokensOf(key, now) - cost, at: now }),
  };
}
