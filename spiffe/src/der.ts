import { SpiffeError } from './errors.ts';

/** The DER tags that certificates are made of. */
export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
} as const;

/** One element: `value` is its content, `raw` the whole of it. Both are views of the input, not copies. */
export interface Element {
  readonly tag: number;
  readonly value: Buffer;
  readonly raw: Buffer;
}

/** A reader of DER elements in a row (X.690 10): definite, shortest lengths only, single-byte tags only. */
export class DerReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** The tag of the next element, or undefined at the end. */
  peek(): number | undefined {
    return this.#bytes[this.#at];
  }

  read(tag?: number): Element {
    const start = this.#at;
    const found = this.#byte();
    if ((found & 0x1f) === 0x1f) throw derError('a tag of several bytes');
    if (tag !== undefined && found !== tag) throw derError('an element of another type than expected');
    const length = this.#length();
    const end = this.#at + length;
    if (end > this.#bytes.length) throw derError('an element that ends after its container');
    const value = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return { tag: found, value, raw: this.#bytes.subarray(start, end) };
  }

  /** The next element if it has this tag. */
  readOptional(tag: number): Element | undefined {
    return this.peek() === tag ? this.read(tag) : undefined;
  }

  /** A reader of the content of the next element. */
  enter(tag: number): DerReader {
    return new DerReader(this.read(tag).value);
  }

  /** Asserts that nothing is left. */
  end(): void {
    if (!this.done) throw derError('bytes after the last element');
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw derError('an element that is cut off');
    this.#at++;
    return byte;
  }

  #length(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0 || count > 4) throw derError('a length that is indefinite or too large');
    let length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + this.#byte();
    if (length < 0x80 || length < 256 ** (count - 1))
      throw derError('a length that is not in its shortest form');
    return length;
  }
}

/** BOOLEAN: 0x00 or 0xff, nothing else (X.690 11.1). */
export function readBoolean(element: Element): boolean {
  const byte = element.value[0];
  if (element.value.length !== 1 || (byte !== 0x00 && byte !== 0xff)) throw derError('a malformed boolean');
  return byte === 0xff;
}

/** INTEGER, as its bytes, in the shortest form (X.690 8.3.2). */
export function readIntegerBytes(element: Element): Buffer {
  const [first, second] = element.value;
  if (first === undefined) throw derError('an empty integer');
  if (second !== undefined && ((first === 0x00 && second < 0x80) || (first === 0xff && second >= 0x80))) {
    throw derError('an integer that is not in its shortest form');
  }
  return element.value;
}

/** A non-negative INTEGER that fits 31 bits. */
export function readSmallInteger(element: Element): number {
  const bytes = readIntegerBytes(element);
  if (bytes.length > 4 || (bytes[0] ?? 0x80) >= 0x80) throw derError('an integer out of range');
  return bytes.readUIntBE(0, bytes.length);
}

/** BIT STRING: its bytes and how many bits at the end are unused; those must be zero (X.690 11.2.1). */
export function readBitString(element: Element): { readonly bytes: Buffer; readonly unused: number } {
  const unused = element.value[0];
  const bytes = element.value.subarray(1);
  if (unused === undefined || unused > 7 || (bytes.length === 0 && unused > 0))
    throw derError('a malformed bit string');
  if (unused > 0 && ((bytes.at(-1) ?? 0) & ((1 << unused) - 1)) !== 0)
    throw derError('a bit string with unused bits set');
  return { bytes, unused };
}

/** OBJECT IDENTIFIER, dotted. Arcs have no limit (2.25 takes 128 bits). */
export function readOid(element: Element): string {
  const arcs: bigint[] = [];
  let arc = 0n;
  let begun = false;
  for (const byte of element.value) {
    if (!begun && byte === 0x80) throw derError('an object identifier that is not in its shortest form');
    arc = arc * 128n + BigInt(byte & 0x7f);
    begun = byte >= 0x80;
    if (begun) continue;
    arcs.push(arc);
    arc = 0n;
  }
  const first = arcs.shift();
  if (first === undefined || begun) throw derError('a malformed object identifier');
  const root = first < 40n ? 0n : first < 80n ? 1n : 2n;
  return [root, first - root * 40n, ...arcs].join('.');
}

/** UTCTime or GeneralizedTime in the forms of RFC 5280 4.1.2.5: seconds, 'Z', no fraction. */
export function readTime(element: Element): Date {
  const text = element.value.toString('latin1');
  const pattern =
    element.tag === tags.utcTime
      ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/
      : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
  if (element.tag !== tags.utcTime && element.tag !== tags.generalizedTime)
    throw derError('a time of unknown type');
  const match = pattern.exec(text);
  if (match === null) throw derError('a malformed time');
  const [, y = '', mo, d, h, mi, s] = match;
  const year = y.length === 4 ? y : `${Number(y) < 50 ? '20' : '19'}${y}`;
  const iso = `${year}-${mo}-${d}T${h}:${mi}:${s}.000Z`;
  const date = new Date(iso);
  // A Date rolls 30 February over into March; text that does not come back is no date.
  if (Number.isNaN(date.getTime()) || date.toISOString() !== iso)
    throw derError('a time that does not exist');
  return date;
}

function derError(what: string): SpiffeError {
  return new SpiffeError('der', `the certificate's encoding is malformed: ${what}`);
}
