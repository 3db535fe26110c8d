import type { DerReader } from './reader.ts';
import { tag } from './tags.ts';

const deepest = 12;
const constructed = 0x20;
const classMask = 0xc0;
const strings: ReadonlySet<number> = new Set([
  tag.utf8String,
  tag.numericString,
  tag.printableString,
  tag.teletexString,
  tag.ia5String,
  tag.visibleString,
  tag.universalString,
  tag.bmpString,
]);

/** Reads all that is left as DER of any kind, checking each value that it knows; content nobody uses must be sound too. */
export function walk(reader: DerReader, what: string, depth = 0): void {
  if (depth > deepest) throw reader.malformed(`${what} is nested too deeply`);
  while (!reader.atEnd) walkOne(reader, what, depth);
}

/** Reads one element of any kind. */
export function walkOne(reader: DerReader, what: string, depth = 0): void {
  const next = reader.peek();
  if ((next & 0x1f) === 0x1f) throw reader.malformed(`${what} has a tag number of more than one octet`);
  if ((next & classMask) !== 0) {
    if (next & constructed) walk(reader.enter(next, what), what, depth + 1);
    else reader.content(next, what);
    return;
  }
  switch (next) {
    case tag.sequence:
    case tag.set:
      walk(reader.enter(next, what), what, depth + 1);
      return;
    case tag.boolean:
      reader.boolean(what);
      return;
    case tag.integer:
      reader.integer(what);
      return;
    case tag.oid:
      reader.oid(what);
      return;
    case tag.bitString: {
      const content = reader.content(next, what);
      const unused = content[0] ?? 8;
      const last = content[content.length - 1] ?? 0;
      if (
        unused > (content.length === 1 ? 0 : 7) ||
        (content.length > 1 && (last & (0xff >> (8 - unused))) !== 0)
      ) {
        throw reader.malformed(`${what} has a bit string that is not DER`);
      }
      return;
    }
    case tag.null:
      if (reader.content(next, what).length > 0) throw reader.malformed(`${what} has a null with content`);
      return;
    default:
      if (strings.has(next)) readString(reader, what);
      else if (next === tag.octetString || next === tag.utcTime || next === tag.generalizedTime)
        reader.content(next, what);
      else throw reader.malformed(`${what} has an element of an unknown type`);
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** A character string of any of ASN.1's types, as text. */
export function readString(reader: DerReader, what: string): string {
  const type = reader.peek();
  if (!strings.has(type)) throw reader.malformed(`${what} is not a string`);
  const content = reader.content(type, what);
  switch (type) {
    case tag.utf8String:
      try {
        return utf8.decode(content);
      } catch {
        throw reader.malformed(`${what} is not UTF-8`);
      }
    case tag.bmpString: {
      if (content.length % 2 !== 0) throw reader.malformed(`${what} is cut short`);
      const text = Buffer.from(content).swap16().toString('utf16le');
      if (/\p{Surrogate}/u.test(text)) throw reader.malformed(`${what} is not a BMP string`);
      return text;
    }
    case tag.universalString: {
      if (content.length % 4 !== 0) throw reader.malformed(`${what} is cut short`);
      let text = '';
      for (let at = 0; at < content.length; at += 4) {
        const point = content.readUInt32BE(at);
        if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
          throw reader.malformed(`${what} is not a universal string`);
        }
        text += String.fromCodePoint(point);
      }
      return text;
    }
    case tag.teletexString:
      return content.toString('latin1');
    default:
      if (content.some((octet) => octet >= 0x80)) throw reader.malformed(`${what} is not ASCII`);
      return content.toString('latin1');
  }
}
