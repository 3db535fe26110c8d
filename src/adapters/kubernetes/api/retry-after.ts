const longest = 3_600_000;

/**
 * Reads a Retry-After header (RFC 9110 section 10.2.3): seconds or an HTTP date.
 * @returns milliseconds from `now`, at most an hour; zero when the header is absent or unreadable
 */
export function retryAfter(header: string | undefined, now: Date): number {
  if (header === undefined) return 0;
  if (/^\d{1,9}$/.test(header)) return Math.min(longest, Number(header) * 1000);
  const date = Date.parse(header);
  if (Number.isNaN(date)) return 0;
  return Math.min(longest, Math.max(0, date - now.getTime()));
}
