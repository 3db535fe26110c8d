import { tag } from './tags.ts';

/** One element of DER: header and content. */
export function encode(identifier: number, ...parts: readonly Uint8Array[]): Buffer {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = Buffer.allocUnsafe(headerLength(length) + length);
  let at = writeHeader(out, 0, identifier, length);
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** How many octets the header of a content of `length` octets takes. */
export function headerLength(length: number): number {
  if (length < 0x80) return 2;
  if (length < 0x100) return 3;
  return length < 0x10000 ? 4 : 5;
}

/** Writes a header at `at`. @returns where the content starts */
export function writeHeader(out: Buffer, at: number, identifier: number, length: number): number {
  out[at] = identifier;
  const octets = headerLength(length) - 2;
  if (octets === 0) {
    out[at + 1] = length;
    return at + 2;
  }
  out[at + 1] = 0x80 | octets;
  return out.writeUIntBE(length, at + 2, octets);
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => encode(tag.sequence, ...parts);
export const set = (...parts: readonly Uint8Array[]): Buffer => encode(tag.set, ...parts);
export const octetString = (...parts: readonly Uint8Array[]): Buffer => encode(tag.octetString, ...parts);

const noUnusedBits = Uint8Array.of(0);

/** A BIT STRING of whole octets. */
export const bitString = (octets: Uint8Array): Buffer => encode(tag.bitString, noUnusedBits, octets);

/** A BIT STRING of named bits: bit n of the standard is `1 << (15 - n)`, as DerReader.namedBits reads them. */
export function namedBits(bits: number): Buffer {
  if (bits === 0) return encode(tag.bitString, noUnusedBits);
  const octets = bits & 0xff ? [bits >> 8, bits & 0xff] : [bits >> 8];
  const unused = Math.log2((octets.at(-1) ?? 1) & -(octets.at(-1) ?? 1));
  return encode(tag.bitString, Uint8Array.of(unused, ...octets));
}

/** An INTEGER from the octets of a non-negative number, most significant first. */
export function unsignedInteger(magnitude: Uint8Array): Buffer {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++;
  const digits = magnitude.subarray(start);
  return (digits[0] ?? 0) >= 0x80 || digits.length === 0
    ? encode(tag.integer, noUnusedBits, digits)
    : encode(tag.integer, digits);
}

/** An OBJECT IDENTIFIER from its dotted form. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const octets: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const digits = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
      digits.unshift(0x80 | (left % 128));
    octets.push(...digits);
  }
  return encode(tag.oid, Uint8Array.from(octets));
}

export const utf8String = (text: string): Buffer => encode(tag.utf8String, Buffer.from(text, 'utf8'));

/** UTCTime up to 2049, GeneralizedTime from 2050, to the second (RFC 5280, 4.1.2.5). */
export function time(date: Date): Buffer {
  const year = date.getUTCFullYear();
  const late = year >= 2050;
  const out = Buffer.allocUnsafe(late ? 17 : 15);
  let at = writeHeader(out, 0, late ? tag.generalizedTime : tag.utcTime, out.length - 2);
  const two = (value: number): void => {
    out[at++] = 0x30 + Math.floor(value / 10);
    out[at++] = 0x30 + (value % 10);
  };
  if (late) two(Math.floor(year / 100));
  two(year % 100);
  two(date.getUTCMonth() + 1);
  two(date.getUTCDate());
  two(date.getUTCHours());
  two(date.getUTCMinutes());
  two(date.getUTCSeconds());
  out[at] = 0x5a;
  return out;
}
