/**
 * What in a path is surely the name of one thing among many of its kind: numbers, also behind a word and beside it a mark
 * (`order-1042`), days, UUIDs, hexadecimal from 8 characters with a digit in it, and longer strings without meaning, which
 * have digits in several places.
 */
const forms: readonly RegExp[] = [
  /^\d+$/,
  /^[A-Za-z]+[-_.:]?\d{3,}$/,
  /^\d{4}-\d{2}-\d{2}$/,
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i,
  /^(?=.*\d)[0-9a-f]{8,}$/i,
  /^(?=[^\d]*\d+[^\d]+\d)(?=.*[A-Za-z])[A-Za-z0-9_-]{16,}$/,
];

/** Whether a segment of a path looks like an identifier. */
export function looksLikeIdentifier(segment: string): boolean {
  return forms.some((form) => form.test(segment));
}
