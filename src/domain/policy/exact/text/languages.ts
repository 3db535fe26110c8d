import type { Piece, Row } from './pieces.ts';

/** A piece, once for all rows that have it. */
interface NumberedPiece {
  readonly number: number;
  readonly piece: Piece;
}

/** What is said of an escape or of a parameter in a path, and of what is behind a path. */
interface Looks {
  readonly atEscapes: boolean;
  readonly atQuery: boolean;
}

const [percent, semicolon] = [0x25, 0x3b];

/** What patterns of one attribute stand for: each language is any of its rows. */
export class Languages {
  readonly #rows: (readonly (readonly NumberedPiece[])[])[] = [];
  readonly #pieces = new Map<string, NumberedPiece>();

  readonly #looks: Looks[] = [];

  /**
   * @param isAmbiguity of all paths that can be read in different ways, see `looksAtEscapes`
   * @returns the language's number, counted from 0
   */
  add(rows: readonly Row[], isAmbiguity = false): number {
    const names = (piece: Piece) =>
      piece.kind === 'codes' && (piece.codes.includes(percent) || piece.codes.includes(semicolon));
    this.#looks.push({
      atEscapes: !isAmbiguity && rows.some((row) => row.some(names)),
      atQuery: !isAmbiguity && rows.some((row) => row.at(-1)?.kind !== 'endOfPath'),
    });
    this.#rows.push(rows.map((row) => row.map((piece) => this.#numbered(piece))));
    return this.#rows.length - 1;
  }

  rowsOf(language: number): readonly (readonly NumberedPiece[])[] {
    return this.#rows[language] ?? [];
  }

  /**
   * Whether it makes a difference to any of these where in a path a `%` stands. If not, paths without one are enough: in
   * a path that is not ambiguous it can be any other character that nobody names, and in one that is, a `;`, whereby the
   * path is ambiguous as well; nothing else changes by that.
   */
  lookAtEscapes(languages: readonly number[]): boolean {
    return languages.some((language) => this.#looks[language]?.atEscapes !== false);
  }

  /** Whether any of these looks at more than the path, so that it makes a difference what query comes behind it. */
  lookAtQuery(languages: readonly number[]): boolean {
    return languages.some((language) => this.#looks[language]?.atQuery !== false);
  }

  #numbered(piece: Piece): NumberedPiece {
    const key = JSON.stringify(piece);
    const known = this.#pieces.get(key);
    if (known) return known;
    const made = { number: this.#pieces.size, piece };
    this.#pieces.set(key, made);
    return made;
  }
}
