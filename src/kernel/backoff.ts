import type { Entropy } from './entropy.ts';

export interface BackoffOptions {
  readonly baseMilliseconds: number;
  readonly maximumMilliseconds: number;
}

/**
 * Full-jitter exponential back-off: uniformly in [0, min(maximum, base * 2^attempt)], so that a fleet that lost its
 * server at one moment does not come back at one moment.
 * @param attempt zero for the first retry
 */
export function backoffDelay(attempt: number, options: BackoffOptions, entropy: Entropy): number {
  const ceiling = Math.min(
    options.maximumMilliseconds,
    options.baseMilliseconds * 2 ** Math.min(attempt, 30),
  );
  return entropy.fraction() * ceiling;
}
