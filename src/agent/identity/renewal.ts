/** When the server wants us to renew. */
export interface RenewalWindow {
  readonly start: Date;
  readonly end: Date;
}

/** How far the jitter goes to either side of half the lifetime, as a part of the lifetime. */
const jitter = 0.05;

/**
 * When to renew: at half the lifetime, give or take a twentieth of it, so that a fleet started at one moment spreads.
 * @param usableFrom NotBefore, or the moment of receipt where that is later
 * @param fraction in [0, 1), from the entropy port
 */
export function renewalTime(usableFrom: Date, notAfter: Date, fraction: number): Date {
  const lifetime = notAfter.getTime() - usableFrom.getTime();
  return new Date(usableFrom.getTime() + lifetime * (0.5 + (fraction * 2 - 1) * jitter));
}

/**
 * A moment in the server's window (RFC 9773 4.2: uniformly at random), but never one so late that a failed renewal could
 * not be tried again before the certificate ends.
 */
export function renewalTimeInWindow(
  window: RenewalWindow,
  usableFrom: Date,
  notAfter: Date,
  fraction: number,
): Date {
  const [start, end] = [window.start.getTime(), window.end.getTime()];
  if (!(start <= end)) return renewalTime(usableFrom, notAfter, fraction);
  const latest = notAfter.getTime() - (notAfter.getTime() - usableFrom.getTime()) * 0.1;
  return new Date(Math.min(start + (end - start) * fraction, latest));
}
