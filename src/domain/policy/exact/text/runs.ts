import type { Budget } from '../budget.ts';
import type { Automaton } from './automaton.ts';
import { classesOf } from './pieces.ts';

/** A set of states in which an automaton may be together. */
export interface Run {
  readonly number: number;
  readonly size: number;
  /** The languages of which a string that ends here is. */
  readonly accepting: ReadonlySet<number>;
  /** Which of the languages that must match still can, a bit each. */
  readonly needed: number;
  /** Characters that one of the languages asks for by itself. */
  readonly named: ReadonlyMap<number, unknown>;
}

interface Known extends Run {
  readonly named: ReadonlyMap<number, number[]>;
  readonly byClass: readonly (readonly [classes: number, next: number])[];
  readonly afterNamed: Map<number, Known>;
  /** By the classes of a character that none of them names. */
  readonly afterOther: Map<number, Known>;
}

/**
 * Where an automaton is after some characters is one run, which is there once however it was come by, and knows what comes
 * after it as soon as that was asked once.
 */
export class Runs {
  readonly #automaton: Automaton;
  readonly #budget: Budget;
  readonly #known = new Map<string, Known>();
  readonly start: Run;

  constructor(automaton: Automaton, budget: Budget) {
    this.#automaton = automaton;
    this.#budget = budget;
    this.start = this.#give([automaton.start]);
  }

  after(run: Run, code: number): Run {
    // Every run is one that was given here.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const { named, byClass, afterNamed, afterOther } = run as Known;
    const own = named.get(code);
    const classes = classesOf(code);
    const [known, key] = own ? [afterNamed, code] : [afterOther, classes];
    const before = known.get(key);
    if (before) return before;
    const states = own ? [...own] : [];
    for (const [of, next] of byClass) if ((of & classes) !== 0) states.push(next);
    const made = this.#give(states);
    known.set(key, made);
    return made;
  }

  #give(some: readonly number[]): Known {
    const states = some.length < 2 ? some : [...new Set(some)].sort((a, b) => a - b);
    const key = states.join(' ');
    const before = this.#known.get(key);
    if (before) return before;
    const accepting = new Set<number>();
    const named = new Map<number, number[]>();
    const byClass: (readonly [number, number])[] = [];
    let needed = 0;
    for (const state of states) {
      const edges = this.#automaton.edgesOf(state);
      needed |= this.#automaton.neededBy(state);
      for (const language of edges.accepts) accepting.add(language);
      for (const edge of edges.byClass) byClass.push(edge);
      for (const [code, next] of edges.byCode) {
        const known = named.get(code);
        if (known) known.push(next);
        else named.set(code, [next]);
      }
    }
    this.#budget.spend(states.length + byClass.length + 2 * named.size);
    const made: Known = {
      number: this.#known.size,
      size: states.length,
      accepting,
      needed,
      named,
      byClass,
      afterNamed: new Map(),
      afterOther: new Map(),
    };
    this.#known.set(key, made);
    return made;
  }
}
