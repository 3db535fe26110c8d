import { createRateLimiter } from './rate-limiter.ts';

/** What was turned away before any service saw it. */
export interface Refusal {
  /**
   * `connections`: too many are open; `rate`: too many calls of one address; `incomplete`: the request never arrived
   * whole, because it was too large, malformed, too slow or given up; `client`: it shows no certificate that is asked for.
   */
  readonly kind: 'connections' | 'rate' | 'incomplete' | 'client';
  /** The remote address. */
  readonly peer: string;
  /** As in `/istio.v1.auth.IstioCertificateService/CreateCertificate`; empty for a connection. */
  readonly method: string;
  /** Whether this is the first of its kind from this address within a second: who repeats must not fill records. */
  readonly notable: boolean;
}

/** Some megabytes at most; whoever has more addresses than this is not held by a limit on each. */
export const rememberedPeers = 16_384;

/** Marks what is worth a record. */
export function createRefusals(
  onRefused: (refusal: Refusal) => void,
  now: () => number,
): (refusal: Omit<Refusal, 'notable'>) => void {
  const notices = createRateLimiter({ perSecond: 1, burst: 1, keys: rememberedPeers });
  return (refusal) =>
    onRefused({ ...refusal, notable: notices.take(`${refusal.kind} ${refusal.peer}`, now()) });
}
