import { backoffDelay, type Entropy } from '../../kernel/index.ts';

const shortestPause = 500;
const firstBackoff = 1_000;
const longestBackoff = 300_000;
/** Whatever a rule grants: one slow provider must not hold a place that others wait for. */
const longestTimeout = 10_000;

/**
 * Milliseconds until the next look. After a success about `refresh`, spread, so that sets that were first read together
 * are not always read together; after failures with full jitter, but never at once.
 */
export function pauseBeforeNext(failures: number, refresh: number, entropy: Entropy): number {
  if (failures === 0) return refresh * (0.9 + 0.2 * entropy.fraction());
  const backoff = {
    baseMilliseconds: firstBackoff,
    maximumMilliseconds: Math.min(longestBackoff, refresh),
  };
  return Math.min(refresh, shortestPause + backoffDelay(failures - 1, backoff, entropy));
}

/** Of what a rule grants, in milliseconds. */
export function boundedTimeout(timeout: number): number {
  return Math.min(timeout, longestTimeout);
}
