import { CitadelError } from '../../kernel/index.ts';
import { tag } from './tags.ts';

/** What a reader reads, for its error messages: `certificate request`, `certificate`. */
export type Subject = string;

/**
 * A strict reader of DER (X.690, 10 and 11): definite minimal lengths, low tag numbers, nothing read past the end of
 * what encloses it, nothing left over. It never copies; what it returns are views of the input.
 */
export class DerReader {
  readonly bytes: Buffer;
  readonly end: number;
  readonly subject: Subject;
  #position: number;

  private constructor(bytes: Buffer, start: number, end: number, subject: Subject) {
    this.bytes = bytes;
    this.#position = start;
    this.end = end;
    this.subject = subject;
  }

  static over(bytes: Uint8Array, subject: Subject): DerReader {
    const view = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    return new DerReader(view, 0, view.length, subject);
  }

  get position(): number {
    return this.#position;
  }

  get atEnd(): boolean {
    return this.#position === this.end;
  }

  /** The next element's identifier octet; -1 at the end. */
  peek(): number {
    return this.#position < this.end ? (this.bytes[this.#position] ?? -1) : -1;
  }

  /** Steps over the header of the next element, which must have this tag. @returns where its content ends */
  #header(expected: number, what: string): number {
    const { bytes, end } = this;
    let position = this.#position;
    if (position + 2 > end) throw this.malformed(`${what} is cut short`);
    if (bytes[position] !== expected) throw this.malformed(`${what} has the wrong type`);
    let length = bytes[position + 1] ?? 0;
    position += 2;
    if (length >= 0x80) {
      const count = length & 0x7f;
      if (count === 0) throw this.malformed(`${what} has an indefinite length`);
      if (count > 3) throw this.malformed(`${what} is too long`);
      if (position + count > end) throw this.malformed(`${what} is cut short`);
      length = bytes.readUIntBE(position, count);
      position += count;
      const fewer = count === 1 ? 0x80 : 2 ** (8 * (count - 1));
      if (length < fewer) throw this.malformed(`${what} has a length that is not minimal`);
    }
    if (length > end - position) throw this.malformed(`${what} is cut short`);
    this.#position = position;
    return position + length;
  }

  /** The content of the next element, which must have this tag. */
  content(expected: number, what: string): Buffer {
    const end = this.#header(expected, what);
    const view = this.bytes.subarray(this.#position, end);
    this.#position = end;
    return view;
  }

  /** A reader of the content of the next, constructed, element. */
  enter(expected: number, what: string): DerReader {
    const end = this.#header(expected, what);
    const inner = new DerReader(this.bytes, this.#position, end, this.subject);
    this.#position = end;
    return inner;
  }

  /** The next element whole, header and all. */
  element(expected: number, what: string): Buffer {
    const start = this.#position;
    this.#position = this.#header(expected, what);
    return this.bytes.subarray(start, this.#position);
  }

  /** A reader of the DER inside the next OCTET STRING. */
  enterOctets(what: string): DerReader {
    return this.enter(tag.octetString, what);
  }

  sequence(what: string): DerReader {
    return this.enter(tag.sequence, what);
  }

  /** An INTEGER's content: two's complement, minimal (X.690, 8.3.2). */
  integer(what: string): Buffer {
    const content = this.content(tag.integer, what);
    const [first, second = 0] = content;
    if (first === undefined) throw this.malformed(`${what} is empty`);
    if (content.length > 1 && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) {
      throw this.malformed(`${what} is not minimal`);
    }
    return content;
  }

  /** An INTEGER that must be positive, without the octet that keeps its sign. */
  positiveInteger(what: string): Buffer {
    const content = this.integer(what);
    const first = content[0] ?? 0;
    if (first >= 0x80 || (first === 0 && content.length === 1))
      throw this.malformed(`${what} is not positive`);
    return first === 0 ? content.subarray(1) : content;
  }

  /** An INTEGER from 0 to 2^31-1. */
  smallInteger(what: string): number {
    const content = this.integer(what);
    if (content.length > 4 || (content[0] ?? 0) >= 0x80) throw this.malformed(`${what} is out of range`);
    return content.readUIntBE(0, content.length);
  }

  boolean(what: string): boolean {
    const content = this.content(tag.boolean, what);
    if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) {
      throw this.malformed(`${what} is not a DER boolean`);
    }
    return content[0] === 0xff;
  }

  /** A BIT STRING of whole octets. */
  octetAlignedBits(what: string): Buffer {
    const content = this.content(tag.bitString, what);
    if (content[0] !== 0) throw this.malformed(`${what} has unused bits`);
    return content.subarray(1);
  }

  /** A BIT STRING of named bits, lowest number first in the most significant bit; no trailing zero bits (X.690, 11.2.2). */
  namedBits(what: string): number {
    const content = this.content(tag.bitString, what);
    const [unused, first, second = 0] = content;
    if (unused === undefined || unused > 7 || content.length > 3)
      throw this.malformed(`${what} is out of range`);
    if (first === undefined) {
      if (unused !== 0) throw this.malformed(`${what} has unused bits without bits`);
      return 0;
    }
    const last = content[content.length - 1] ?? 0;
    if ((last & (0xff >> (8 - unused))) !== 0 || ((last >> unused) & 1) === 0) {
      throw this.malformed(`${what} is not minimal`);
    }
    return (first << 8) | second;
  }

  /** An OBJECT IDENTIFIER's content, checked (X.690, 8.19). */
  oid(what: string): Buffer {
    const content = this.content(tag.oid, what);
    let starts = true;
    for (const octet of content) {
      if (starts && octet === 0x80) throw this.malformed(`${what} is not minimal`);
      starts = octet < 0x80;
    }
    if (content.length === 0 || !starts) throw this.malformed(`${what} is cut short`);
    return content;
  }

  /** The end must have been reached. */
  finish(what: string): void {
    if (this.#position !== this.end) throw this.malformed(`${what} has trailing data`);
  }

  malformed(problem: string): CitadelError {
    return new CitadelError('InvalidArgument', `malformed ${this.subject}: ${problem}`);
  }
}
