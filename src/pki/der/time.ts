import type { DerReader } from './reader.ts';
import { tag } from './tags.ts';

/** A Time of RFC 5280, 4.1.2.5: UTCTime up to 2049, GeneralizedTime from 2050, in seconds, ending in Z. */
export function readTime(reader: DerReader, what: string): Date {
  const generalized = reader.peek() === tag.generalizedTime;
  const content = reader.content(generalized ? tag.generalizedTime : tag.utcTime, what);
  const digits = content.length - 1;
  if (digits !== (generalized ? 14 : 12) || content[digits] !== 0x5a) {
    throw reader.malformed(`${what} is not a time in UTC to the second`);
  }
  for (let at = 0; at < digits; at++) {
    const octet = content[at] ?? 0;
    if (octet < 0x30 || octet > 0x39) throw reader.malformed(`${what} is not a time in UTC to the second`);
  }
  const two = (at: number): number => ((content[at] ?? 0) - 0x30) * 10 + ((content[at + 1] ?? 0) - 0x30);
  const rest = generalized ? 4 : 2;
  const short = two(0);
  const year = generalized ? short * 100 + two(2) : short >= 50 ? 1900 + short : 2000 + short;
  if (generalized && year < 2050) throw reader.malformed(`${what} must be a UTCTime`);
  const month = two(rest);
  const day = two(rest + 2);
  const hour = two(rest + 4);
  const date = new Date(Date.UTC(year, month - 1, day, hour, two(rest + 6), two(rest + 8)));
  // Date.UTC carries what overflows into the next field; a real date does not move.
  const real =
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    date.getUTCMinutes() === two(rest + 6) &&
    date.getUTCSeconds() === two(rest + 8);
  if (!real) throw reader.malformed(`${what} is not a real date`);
  return date;
}
