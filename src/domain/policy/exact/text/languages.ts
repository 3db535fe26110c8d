import type { Piece, Row } from './pieces.ts';

/** A piece, once for all rows that have it. */
interface NumberedPiece {
  readonly number: number;
  readonly piece: Piece;
}

/** What patterns of one attribute stand for: each language is any of its rows. */
export class Languages {
  readonly #rows: (readonly (readonly NumberedPiece[])[])[] = [];
  readonly #pieces = new Map<string, NumberedPiece>();

  /** @returns the language's number, counted from 0 */
  add(rows: readonly Row[]): number {
    this.#rows.push(rows.map((row) => row.map((piece) => this.#numbered(piece))));
    return this.#rows.length - 1;
  }

  rowsOf(language: number): readonly (readonly NumberedPiece[])[] {
    return this.#rows[language] ?? [];
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
