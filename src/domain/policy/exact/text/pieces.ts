/** Characters that a piece may stand for, a bit each; what is asked of them is the same for all strings of a kind. */
export const classes = {
  any: 1,
  notSlash: 2,
  notQuery: 4,
  notSlashNorQuery: 8,
  notSeparator: 16,
  blank: 32,
  notBlank: 64,
} as const;
export type CharacterClass = (typeof classes)[keyof typeof classes];

/** Stands between the two halves of a token's name, where neither can hold it; no string has such a character. */
export const separator = 0x11_0000;

export function classesOf(code: number): number {
  const slash = code === 0x2f;
  const query = code === 0x3f;
  return (
    classes.any |
    (slash ? 0 : classes.notSlash) |
    (query ? 0 : classes.notQuery) |
    (slash || query ? 0 : classes.notSlashNorQuery) |
    (code === separator ? 0 : classes.notSeparator) |
    (code === 0x20 ? classes.blank : classes.notBlank)
  );
}

/** A part of a pattern; a pattern is a row of them, a language any of several rows. */
export type Piece =
  | { readonly kind: 'codes'; readonly codes: readonly number[] }
  | { readonly kind: 'class'; readonly of: CharacterClass; readonly times: 'any' | 'some' }
  /** Nothing more, or a query, of which nothing is asked. */
  | { readonly kind: 'endOfPath' };

export type Row = readonly Piece[];

export const anything = (of: CharacterClass = classes.any): Piece => ({ kind: 'class', of, times: 'any' });
export const something = (of: CharacterClass = classes.any): Piece => ({ kind: 'class', of, times: 'some' });

/** Each character of a text; `of` gives what may stand in its place too. */
export function spelled(text: string, of: (code: number) => readonly number[] = (code) => [code]): Row {
  return Array.from(
    { length: text.length },
    (_, at): Piece => ({
      kind: 'codes',
      codes: of(text.charCodeAt(at)),
    }),
  );
}

/** Any of these characters. */
export function oneOf(characters: string): Piece {
  return { kind: 'codes', codes: Array.from(characters, (each) => each.charCodeAt(0)) };
}

/** As hosts are compared: letters of ASCII in either case. */
export function eitherCase(code: number): readonly number[] {
  if (code >= 0x41 && code <= 0x5a) return [code + 0x20, code];
  return code >= 0x61 && code <= 0x7a ? [code, code - 0x20] : [code];
}

interface Reading {
  /** What a star stands for. */
  readonly star?: CharacterClass;
  readonly of?: (code: number) => readonly number[];
}

/** A list's string, as matchesPattern reads it. */
export function patternRow(pattern: string, { star = classes.any, of }: Reading = {}): Row {
  if (pattern === '*') return [something(star)];
  if (pattern.startsWith('*')) return [anything(star), ...spelled(pattern.slice(1), of)];
  if (pattern.endsWith('*')) return [...spelled(pattern.slice(0, -1), of), anything(star)];
  return spelled(pattern, of);
}

/** Strings in which the pattern matches a word, or of nothing but blanks, which have none and are compared themselves. */
export function rowsOfWords(pattern: string): readonly Row[] {
  const text = writtenText(pattern);
  const blank = spelled(' ');
  const word = patternRow(pattern, { star: classes.notBlank });
  const within: readonly Row[] = text.includes(' ')
    ? []
    : [
        word,
        [anything(), ...blank, ...word],
        [...word, ...blank, anything()],
        [anything(), ...blank, ...word, ...blank, anything()],
      ];
  return /^ *$/.test(text) ? [...within, patternRow(pattern, { star: classes.blank })] : within;
}

/** What is written in a pattern, without its star. */
export function writtenText(pattern: string): string {
  if (pattern.startsWith('*')) return pattern.slice(1);
  return pattern.endsWith('*') ? pattern.slice(0, -1) : pattern;
}
