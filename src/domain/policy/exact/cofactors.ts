import type { Budget } from './budget.ts';
import { always, type Formula, type Formulas, never } from './formulas.ts';

/** A formula of more parts than this is looked at by what its literals touch, not part by part. */
const wide = 16;

/** Of a wide formula under "every literal of one attribute is false": what its parts are then, and which each literal changes. */
interface Sensitivity {
  /** Without those that are neutral, by place. */
  readonly counting: ReadonlyMap<number, Formula>;
  readonly touched: ReadonlyMap<number, readonly number[]>;
}

/**
 * Formulas in which all that is asked about one attribute has been answered. Of a value that an attribute can have, few
 * of thousands of literals are true: so that a wide formula costs what those touch, and not its width.
 */
export class Cofactors {
  readonly #formulas: Formulas;
  readonly #budget: Budget;
  readonly #sensitivities = new Map<string, Sensitivity>();

  constructor(formulas: Formulas, budget: Budget) {
    this.#formulas = formulas;
    this.#budget = budget;
  }

  /** Some literals answered, the others left. */
  some(formula: Formula, answers: ReadonlyMap<number, boolean>, attribute: number): Formula {
    return this.#of(formula, attribute, (literal) => answers.get(literal), new Map());
  }

  /** All literals of an attribute answered: true are these alone. */
  all(formula: Formula, truths: ReadonlySet<number>, attribute: number): Formula {
    return this.#all(formula, truths, attribute, new Map());
  }

  #of(
    formula: Formula,
    attribute: number,
    answer: (literal: number) => boolean | undefined,
    known: Map<Formula, Formula>,
  ): Formula {
    const formulas = this.#formulas;
    if ((formulas.attributesOf(formula) & (1n << BigInt(attribute))) === 0n) return formula;
    const before = known.get(formula);
    if (before !== undefined) return before;
    this.#budget.spend(1 + (formulas.partsOf(formula).length >> 2));
    const made = this.#made(formula, answer, (part) => this.#of(part, attribute, answer, known));
    known.set(formula, made);
    return made;
  }

  #all(
    formula: Formula,
    truths: ReadonlySet<number>,
    attribute: number,
    known: Map<Formula, Formula>,
  ): Formula {
    const formulas = this.#formulas;
    if ((formulas.attributesOf(formula) & (1n << BigInt(attribute))) === 0n) return formula;
    const before = known.get(formula);
    if (before !== undefined) return before;
    this.#budget.spend(1);
    const inner = (part: Formula) => this.#all(part, truths, attribute, known);
    const kind = formulas.kindOf(formula);
    const made =
      (kind === 'and' || kind === 'or') && formulas.partsOf(formula).length > wide
        ? this.#wide(formula, kind, truths, attribute, inner)
        : this.#made(formula, (literal) => truths.has(literal), inner);
    known.set(formula, made);
    return made;
  }

  #made(
    formula: Formula,
    answer: (literal: number) => boolean | undefined,
    inner: (part: Formula) => Formula,
  ): Formula {
    const formulas = this.#formulas;
    const parts = formulas.partsOf(formula);
    switch (formulas.kindOf(formula)) {
      case 'constant':
        return formula;
      case 'literal': {
        const answered = answer(parts[0] ?? 0);
        return answered === undefined ? formula : answered ? always : never;
      }
      case 'not':
        return formulas.not(inner(parts[0] ?? never));
      case 'and':
        return formulas.and(parts.map(inner));
      case 'or':
        return formulas.or(parts.map(inner));
    }
  }

  #wide(
    formula: Formula,
    kind: 'and' | 'or',
    truths: ReadonlySet<number>,
    attribute: number,
    inner: (part: Formula) => Formula,
  ): Formula {
    const { counting, touched } = this.#sensitivity(formula, kind, attribute);
    const parts = this.#formulas.partsOf(formula);
    const changed = new Set<number>();
    for (const literal of truths) for (const place of touched.get(literal) ?? []) changed.add(place);
    const made: Formula[] = [];
    for (const [place, part] of counting) if (!changed.has(place)) made.push(part);
    for (const place of changed) made.push(inner(parts[place] ?? never));
    this.#budget.spend(made.length);
    return this.#formulas[kind](made);
  }

  #sensitivity(formula: Formula, kind: 'and' | 'or', attribute: number): Sensitivity {
    const key = `${formula} ${attribute}`;
    const before = this.#sensitivities.get(key);
    if (before) return before;
    const formulas = this.#formulas;
    const neutral = kind === 'and' ? always : never;
    const parts = formulas.partsOf(formula);
    const touched = new Map<number, number[]>();
    const none = new Set<number>();
    const known = new Map<Formula, Formula>();
    const base = parts.map((part, place) => {
      for (const literal of formulas.literalsOf(attribute, part)) {
        const places = touched.get(literal);
        if (places) places.push(place);
        else touched.set(literal, [place]);
      }
      return this.#all(part, none, attribute, known);
    });
    this.#budget.spend(parts.length);
    const counting = new Map([...base.entries()].filter(([, part]) => part !== neutral));
    const made = { counting, touched };
    this.#sensitivities.set(key, made);
    return made;
  }
}
