import { CitadelError } from '../../kernel/index.ts';
import type { AuditEvent } from '../ports/index.ts';

/** The texts of an entry, in the order in which they are hashed: UTF-8, as they are stored. */
export const entryTexts = ['action', 'outcome', 'subject', 'proof', 'target', 'reason', 'details'] as const;

/** What of an entry is hashed. `details` is a JSON object of strings. */
export type EntryTexts = Readonly<Record<(typeof entryTexts)[number], string>>;

const version = 1;
const fixedBytes = 17;
const lengthBytes = 4;

/**
 * The bytes of an entry that its leaf of the tree is made of: docs/audit-record.md describes them one by one. Two
 * entries that differ in anything have different bytes, since each text stands behind its length.
 * @param at milliseconds since 1970
 */
export function encodeEntry(
  sequence: number,
  at: number,
  texts: Readonly<Record<(typeof entryTexts)[number], string | Uint8Array>>,
): Buffer {
  let length = fixedBytes;
  for (const name of entryTexts) length += lengthBytes + Buffer.byteLength(texts[name]);
  const bytes = Buffer.allocUnsafe(length);
  bytes[0] = version;
  bytes.writeBigInt64BE(BigInt(sequence), 1);
  bytes.writeBigInt64BE(BigInt(at), 9);
  let offset = fixedBytes;
  for (const name of entryTexts) {
    const text = texts[name];
    const written =
      typeof text === 'string'
        ? bytes.write(text, offset + lengthBytes, 'utf8')
        : copyInto(bytes, text, offset + lengthBytes);
    bytes.writeUInt32BE(written, offset);
    offset += lengthBytes + written;
  }
  return bytes;
}

function copyInto(target: Buffer, source: Uint8Array, offset: number): number {
  target.set(source, offset);
  return source.length;
}

/** What an event's texts are stored as. What is no Unicode is replaced, so that the same is stored and hashed. */
export function textsOf(event: AuditEvent): EntryTexts {
  const { action, outcome, subject, proof, target, reason, details } = event;
  return {
    action: wellFormed(action),
    outcome,
    subject: wellFormed(subject),
    proof: wellFormed(proof),
    target: wellFormed(target),
    reason: wellFormed(reason),
    details: JSON.stringify(details),
  };
}

const surrogate = /[\ud800-\udfff]/;

function wellFormed(text: string): string {
  return surrogate.test(text) ? Buffer.from(text).toString() : text;
}

export interface DecodedEntry extends EntryTexts {
  readonly sequence: number;
  readonly at: Date;
}

/** Reads what `encodeEntry` wrote, and nothing else. @throws CitadelError InvalidArgument */
export function decodeEntry(bytes: Uint8Array): DecodedEntry {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (buffer.length < fixedBytes || buffer[0] !== version) throw unreadable();
  const texts: Record<string, string> = {};
  let offset = fixedBytes;
  for (const name of entryTexts) {
    const end = offset + lengthBytes;
    if (end > buffer.length) throw unreadable();
    const next = end + buffer.readUInt32BE(offset);
    if (next > buffer.length) throw unreadable();
    texts[name] = buffer.toString('utf8', end, next);
    offset = next;
  }
  if (offset !== buffer.length) throw unreadable();
  const {
    action = '',
    outcome = '',
    subject = '',
    proof = '',
    target = '',
    reason = '',
    details = '',
  } = texts;
  return {
    sequence: Number(buffer.readBigInt64BE(1)),
    at: new Date(Number(buffer.readBigInt64BE(9))),
    action,
    outcome,
    subject,
    proof,
    target,
    reason,
    details,
  };
}

/** The same entry at another place of the log. */
export function moveEntry(bytes: Uint8Array, sequence: number): Buffer {
  const moved = Buffer.from(bytes);
  moved.writeBigInt64BE(BigInt(sequence), 1);
  return moved;
}

function unreadable(): CitadelError {
  return new CitadelError('InvalidArgument', 'these bytes are no entry of an audit record');
}
