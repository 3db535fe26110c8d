import { hash } from 'node:crypto';

/** SHA-256 over a value's content, lower-case hexadecimal. */
export function contentHash(value: unknown): string {
  return hash('sha256', canonicalJson(value), 'hex');
}

/** A value's content as one text: the order of an object's keys and of a Map's entries does not count. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, ordered) ?? '';
}

function ordered(_key: string, value: unknown): unknown {
  if (value instanceof Map) return [...value].toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
