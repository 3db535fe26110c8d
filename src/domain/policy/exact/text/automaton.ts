import type { Languages } from './languages.ts';
import { type CharacterClass, classes, type Piece } from './pieces.ts';

/** What a state goes on to, without empty steps. */
export interface Edges {
  /** The languages of which a string that ends here is. */
  readonly accepts: readonly number[];
  readonly byCode: readonly (readonly [code: number, next: number])[];
  /** By any character of a class. */
  readonly byClass: readonly (readonly [classes: number, next: number])[];
}

interface Node {
  readonly children: Map<number, { readonly piece: Piece; readonly node: number }>;
  readonly accepts: number[];
  /** Of the languages that must match, which still can from here, a bit each. */
  needed: number;
}

/**
 * The nondeterministic automaton of several languages together, as a tree of their rows: what many begin alike is there
 * once. Of each place in the tree there are two states: the plain one, and one that first takes any number of characters
 * of a class, for a star before it.
 */
export class Automaton {
  readonly #nodes: Node[] = [{ children: new Map(), accepts: [], needed: 0 }];
  readonly #edges: (Edges | undefined)[] = [];
  /** Of a looping state, over what. */
  readonly #loops = new Map<number, CharacterClass>();
  /** A bit for each language that must match. */
  readonly needed: number;

  /** @param must languages, of the others or beside them, for which it is to be known where they can no longer match */
  constructor(source: Languages, languages: readonly number[], must: readonly number[]) {
    const bits = new Map(must.slice(0, 30).map((language, at) => [language, 1 << at]));
    this.needed = [...bits.values()].reduce((all, bit) => all | bit, 0);
    for (const language of languages) {
      const bit = bits.get(language) ?? 0;
      for (const row of source.rowsOf(language)) {
        let at = this.#nodes[0];
        for (const { number, piece } of row) {
          if (!at) break;
          at.needed |= bit;
          const known = at.children.get(number);
          const node = known?.node ?? this.#nodes.push({ children: new Map(), accepts: [], needed: 0 }) - 1;
          if (!known) at.children.set(number, { piece, node });
          at = this.#nodes[node];
        }
        if (!at) continue;
        at.needed |= bit;
        at.accepts.push(language);
      }
    }
  }

  /** How much it takes, about. */
  get size(): number {
    return this.#nodes.length;
  }

  readonly start = 0;

  /** Which of the languages that must match still can. */
  neededBy(state: number): number {
    return this.#nodes[state >> 1]?.needed ?? 0;
  }

  edgesOf(state: number): Edges {
    const before = this.#edges[state];
    if (before) return before;
    const made = this.#made(state);
    this.#edges[state] = made;
    return made;
  }

  #made(state: number): Edges {
    if ((state & 1) === 1) {
      const plain = this.edgesOf(state - 1);
      return { ...plain, byClass: [[this.#loops.get(state) ?? classes.any, state], ...plain.byClass] };
    }
    const node = this.#nodes[state >> 1];
    const accepts = new Set(node?.accepts);
    const byCode: (readonly [number, number])[] = [];
    const byClass: (readonly [number, number])[] = [];
    for (const { piece, node: child } of node?.children.values() ?? []) {
      const [plain, loop] = [2 * child, 2 * child + 1];
      switch (piece.kind) {
        case 'codes':
          for (const code of piece.codes) byCode.push([code, plain]);
          break;
        case 'class': {
          this.#loops.set(loop, piece.of);
          byClass.push([piece.of, loop]);
          if (piece.times === 'some') break;
          // It may be nothing: then what follows begins here.
          const after = this.edgesOf(plain);
          for (const language of after.accepts) accepts.add(language);
          byCode.push(...after.byCode);
          byClass.push(...after.byClass);
          break;
        }
        case 'endOfPath': {
          this.#loops.set(loop, classes.any);
          byCode.push([0x3f, loop]);
          for (const language of this.edgesOf(plain).accepts) accepts.add(language);
          break;
        }
      }
    }
    return { accepts: [...accepts], byCode, byClass };
  }
}
