import type { Automaton } from './automaton.ts';
import { classesOf } from './pieces.ts';

/** A set of states that some languages may be in together. */
export interface Run {
  readonly number: number;
  readonly size: number;
  /** The languages of which a string that ends here is. */
  readonly accepting: ReadonlySet<number>;
  /** Those that may still be matched. */
  readonly alive: ReadonlySet<number>;
  /** Characters that one of the languages asks for by itself. */
  readonly named: ReadonlySet<number>;
}

interface Known extends Run {
  readonly byCode: ReadonlyMap<number, readonly number[]>;
  readonly byClass: readonly (readonly [classes: number, next: number])[];
  readonly afterNamed: Map<number, Known>;
  /** By the classes of a character that none of them names. */
  readonly afterOther: Map<number, Known>;
}

/**
 * The automata of many languages run side by side: where they all are after some characters is one run, which is there once
 * however it was come by, and knows what comes after it as soon as that was asked once.
 */
export class Runs {
  readonly #automaton: Automaton;
  readonly #known = new Map<string, Known>();

  constructor(automaton: Automaton) {
    this.#automaton = automaton;
  }

  get size(): number {
    return this.#known.size;
  }

  start(languages: readonly number[]): Run {
    return this.#give(languages.flatMap((language) => this.#automaton.startsOf(language)));
  }

  after(run: Run, code: number): Run {
    // Every run is one that was given here.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const { byCode, byClass, afterNamed, afterOther } = run as Known;
    const named = byCode.get(code);
    const classes = classesOf(code);
    const [known, key] = named ? [afterNamed, code] : [afterOther, classes];
    const before = known.get(key);
    if (before) return before;
    const states = [...(named ?? [])];
    for (const [of, next] of byClass) if ((of & classes) !== 0) states.push(next);
    const made = this.#give(states);
    known.set(key, made);
    return made;
  }

  #give(some: readonly number[]): Known {
    const states = [...new Set(some)].sort((a, b) => a - b);
    const key = states.join(' ');
    const before = this.#known.get(key);
    if (before) return before;
    const accepting = new Set<number>();
    const alive = new Set<number>();
    const byCode = new Map<number, number[]>();
    const byClass: (readonly [number, number])[] = [];
    for (const state of states) {
      const own = this.#automaton.at(state);
      alive.add(own.language);
      if (own.accepts) accepting.add(own.language);
      byClass.push(...own.byClass);
      for (const [code, next] of own.byCode) {
        const known = byCode.get(code);
        if (known) known.push(next);
        else byCode.set(code, [next]);
      }
    }
    const made: Known = {
      number: this.#known.size,
      size: states.length,
      accepting,
      alive,
      named: new Set(byCode.keys()),
      byCode,
      byClass,
      afterNamed: new Map(),
      afterOther: new Map(),
    };
    this.#known.set(key, made);
    return made;
  }
}
