import { CitadelError } from './errors.ts';

const unitMilliseconds: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const duration = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;
const part = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;

/**
 * Reads a duration as Go writes it, with days besides: `90s`, `1h30m`, `24h`, `7d`.
 * @returns milliseconds
 * @throws CitadelError InvalidArgument when the text is anything else
 */
export function parseDuration(text: string): number {
  if (!duration.test(text)) {
    throw new CitadelError(
      'InvalidArgument',
      `not a duration: ${JSON.stringify(text)}; write it as 90s, 1h30m, 24h or 7d`,
    );
  }
  let total = 0;
  for (const [, amount, unit = ''] of text.matchAll(part))
    total += Number(amount) * (unitMilliseconds[unit] ?? Number.NaN);
  if (!Number.isSafeInteger(Math.round(total)))
    throw new CitadelError('InvalidArgument', `duration out of range: ${text}`);
  return Math.round(total);
}

/** Writes milliseconds in the form that parseDuration reads, largest unit first: `1h30m`. Zero is `0s`. */
export function formatDuration(milliseconds: number): string {
  let left = Math.round(milliseconds);
  if (left === 0) return '0s';
  let text = '';
  if (left < 0) {
    text = '-';
    left = -left;
  }
  for (const [unit, size] of Object.entries(unitMilliseconds).toReversed()) {
    const amount = Math.floor(left / size);
    if (amount > 0) text += `${amount}${unit}`;
    left -= amount * size;
  }
  return text;
}

/** RFC 3339 in UTC, to the second. */
export function formatInstant(time: Date): string {
  return time.toISOString().replace(/\.\d{3}Z$/, 'Z');
}
