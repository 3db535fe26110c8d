import type { Row } from './pieces.ts';

/** A state of the automaton of one language; what it goes on to is given by numbers. */
export interface State {
  /** Of which language it is a part. */
  readonly language: number;
  /** Whether a string that ends here is in the language. */
  readonly accepts: boolean;
  /** By one of these characters. */
  readonly byCode: readonly (readonly [code: number, next: number])[];
  /** By any character of a class. */
  readonly byClass: readonly (readonly [classes: number, next: number])[];
}

/**
 * Nondeterministic automata of many languages side by side, without empty steps. They run together: what is kept of a
 * string is the set of states that it may be in, in which a language that can no longer match has no part.
 */
export class Automaton {
  readonly #states: State[] = [];
  readonly #starts: (readonly number[])[] = [];

  /** @returns the language's number, counted from 0 */
  add(rows: readonly Row[]): number {
    const language = this.#starts.length;
    this.#starts.push(rows.map((row) => this.#row(row, language)));
    return language;
  }

  startsOf(language: number): readonly number[] {
    return this.#starts[language] ?? [];
  }

  at(state: number): State {
    const found = this.#states[state];
    if (found === undefined) throw new Error(`there is no state ${state}`);
    return found;
  }

  /** From its end on, so that a piece that may be nothing can take over what the next one does. */
  #row(row: Row, language: number): number {
    let next = this.#push({ language, accepts: true, byCode: [], byClass: [] });
    for (const piece of row.toReversed()) {
      switch (piece.kind) {
        case 'codes': {
          const to = next;
          const byCode = piece.codes.map((code) => [code, to] as const);
          next = this.#push({ language, accepts: false, byCode, byClass: [] });
          break;
        }
        case 'class': {
          const loop = this.#loop(language, piece.of, this.at(next));
          const byClass = [[piece.of, loop] as const];
          next = piece.times === 'any' ? loop : this.#push({ language, accepts: false, byCode: [], byClass });
          break;
        }
        case 'endOfPath': {
          const rest = this.#loop(language, 1, { language, accepts: true, byCode: [], byClass: [] });
          next = this.#push({ language, accepts: true, byCode: [[0x3f, rest]], byClass: [] });
          break;
        }
      }
    }
    return next;
  }

  #loop(language: number, of: number, then: State): number {
    const own = this.#states.length;
    return this.#push({
      language,
      accepts: then.accepts,
      byCode: then.byCode,
      byClass: [[of, own], ...then.byClass],
    });
  }

  #push(state: State): number {
    this.#states.push(state);
    return this.#states.length - 1;
  }
}
