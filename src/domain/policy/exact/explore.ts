import { type Budget, TooMuch } from './budget.ts';
import { Cofactors } from './cofactors.ts';
import { always, type Formula, never } from './formulas.ts';
import type { Cell, EagerSpace, LazySpace } from './spaces/space.ts';
import type { Vocabulary } from './vocabulary.ts';

/** Where two formulas differ, as a graph: nowhere, or for all that is left, or by what one attribute is. */
export type Diff = undefined | Leaf | Branch;

export interface Leaf {
  readonly kind: 'leaf';
  readonly becomes: 'allowed' | 'denied';
}

export interface Branch {
  readonly kind: 'branch';
  readonly attribute: number;
  readonly groups: readonly { readonly cells: readonly Cell[]; readonly next: Leaf | Branch }[];
  /** Where they do not differ. */
  readonly rest: readonly Cell[];
}

const leaves = {
  allowed: { kind: 'leaf', becomes: 'allowed' },
  denied: { kind: 'leaf', becomes: 'denied' },
} as const;

/** Of questions about more literals few are asked again, and they are long. */
const mostRemembered = 20;

function inOrder(literals: readonly number[]): string {
  return literals.toSorted((a, b) => a - b).join(' ');
}

/** A cell, and what is left of both formulas there. */
type Left = readonly [cell: Cell, before: Formula, after: Formula];

/**
 * Finds all in which two formulas differ. It answers what is asked about one attribute after another, by each of the cells
 * into which that cuts the attribute's values, and stops where what is left of both is the same formula. Since it asks
 * first what is asked in the core in which they differ, one changed policy among thousands costs little more than itself.
 *
 * It is complete, since the cells of an attribute are all there are; and it is sound, since attributes do not hang together.
 */
export class Explorer {
  readonly #vocabulary: Vocabulary;
  readonly #budget: Budget;
  readonly #cofactors: Cofactors;
  readonly #known = new Map<string, Diff>();
  readonly #samples = new Map<string, { readonly sample: ReturnType<LazySpace['sample']> }>();
  /** Why not all was looked at. */
  #givenUp: TooMuch | undefined;

  constructor(vocabulary: Vocabulary, budget: Budget) {
    this.#vocabulary = vocabulary;
    this.#budget = budget;
    this.#cofactors = new Cofactors(vocabulary.formulas, budget);
  }

  /**
   * All differences, or those that were found until the work was more than was granted.
   * @throws TooMuch where none was found until then
   */
  explore(before: Formula, after: Formula): { readonly diff: Diff; readonly givenUp: TooMuch | undefined } {
    this.#givenUp = undefined;
    const { formulas } = this.#vocabulary;
    for (const attribute of formulas.attributeList(before, after)) {
      const space = this.#vocabulary.space(attribute);
      if (space.kind === 'eager') space.expect?.(formulas.literalsOf(attribute, before, after));
    }
    const diff = this.#differences(before, after);
    return { diff, givenUp: this.#givenUp };
  }

  #differences(before: Formula, after: Formula): Diff {
    if (before === after) return undefined;
    if (before <= always && after <= always) return before === never ? leaves.allowed : leaves.denied;
    const key = `${before} ${after}`;
    if (this.#known.has(key)) return this.#known.get(key);
    this.#budget.spend(1);
    const attribute = this.#choose(before, after);
    const space = this.#vocabulary.space(attribute);
    this.#budget.about = this.#vocabulary.formulas.literalsOf(attribute, before, after);
    const lefts =
      space.kind === 'eager'
        ? this.#eager(space, attribute, before, after)
        : this.#lazy(space, attribute, before, after);
    const diff = this.#branch(attribute, lefts);
    if (this.#givenUp === undefined) this.#known.set(key, diff);
    return diff;
  }

  /** The attribute of the core that is cut into the fewest cells, about. */
  #choose(before: Formula, after: Formula): number {
    const { formulas } = this.#vocabulary;
    const core = formulas.cores(before, after);
    let best: readonly [cost: number, attribute: number] | undefined;
    for (const attribute of formulas.attributeList(...core)) {
      const count = formulas.literalsOf(attribute, ...core).length;
      const space = this.#vocabulary.space(attribute);
      const { kind } = space.attribute;
      // What somebody outside says is asked last: of what hangs on it alone, that is to be told.
      const extra = kind === 'provider' ? 1e6 : kind === 'path' ? 0.5 : 0;
      // Of a few answers each can be true or not, whatever the others are; of many that is more than of anything else.
      const cost = space.kind === 'lazy' ? (count < 4 ? 4 * count + 1 : 1e4 + count) : count + extra;
      if (best === undefined || cost < best[0]) best = [cost, attribute];
    }
    if (best === undefined) throw new Error('two formulas differ, and nothing is asked in either');
    return best[1];
  }

  /**
   * First by what the core asks. Where that leaves a difference, all else that is asked of the attribute is answered too,
   * but only within the cell: what many policies ask of other callers or paths is false there at once.
   */
  #eager(space: EagerSpace, attribute: number, before: Formula, after: Formula): readonly Left[] {
    const { formulas } = this.#vocabulary;
    const all = formulas.literalsOf(attribute, before, after);
    const inCore = formulas.literalsOf(attribute, ...formulas.cores(before, after));
    // Of many, it is cheaper to answer all at once.
    if (inCore.length === all.length || inCore.length > 100)
      return space
        .cells(all, undefined)
        .map((cell) => [
          cell,
          this.#cofactors.all(before, cell.truths, attribute),
          this.#cofactors.all(after, cell.truths, attribute),
        ]);
    return space.cells(inCore, undefined).flatMap((cell): readonly Left[] => {
      const answers = new Map(inCore.map((literal) => [literal, cell.truths.has(literal)]));
      const first = this.#cofactors.some(before, answers, attribute);
      const second = this.#cofactors.some(after, answers, attribute);
      const others = first === second ? [] : formulas.literalsOf(attribute, first, second);
      if (others.length === 0) return [[cell, first, second]];
      return space
        .cells(others, cell)
        .map((inner) => [
          inner,
          this.#cofactors.all(first, inner.truths, attribute),
          this.#cofactors.all(second, inner.truths, attribute),
        ]);
    });
  }

  #lazy(space: LazySpace, attribute: number, before: Formula, after: Formula): readonly Left[] {
    const { formulas } = this.#vocabulary;
    const found: Left[] = [];
    const go = (
      first: Formula,
      second: Formula,
      truths: readonly number[],
      falses: readonly number[],
      sample: Cell['sample'],
    ): void => {
      const [literal = formulas.literalsOf(attribute, first, second)[0]] =
        first === second ? [] : formulas.literalsOf(attribute, ...formulas.cores(first, second));
      if (first === second || literal === undefined) {
        const cell = { truths: new Set(truths), considered: [...truths, ...falses], sample };
        found.push([cell, first, second]);
        return;
      }
      for (const answer of [false, true]) {
        this.#budget.spend(1);
        const [some, others] = answer ? [[...truths, literal], falses] : [truths, [...falses, literal]];
        const sampled = this.#sample(space, attribute, some, others);
        if (!sampled) continue;
        const answers = new Map([[literal, answer]]);
        go(
          this.#cofactors.some(first, answers, attribute),
          this.#cofactors.some(second, answers, attribute),
          some,
          others,
          sampled[0],
        );
      }
    };
    go(before, after, [], [], undefined);
    return found;
  }

  #sample(
    space: LazySpace,
    attribute: number,
    truths: readonly number[],
    falses: readonly number[],
  ): ReturnType<LazySpace['sample']> {
    if (truths.length + falses.length > mostRemembered) return space.sample(truths, falses);
    const key = `${attribute} ${inOrder(truths)},${inOrder(falses)}`;
    const known = this.#samples.get(key);
    if (known) return known.sample;
    const sample = space.sample(truths, falses);
    this.#samples.set(key, { sample });
    return sample;
  }

  /** @param enough others have been found, so that these may be left out, and be told as if there were none */
  #found(before: Formula, after: Formula, enough: boolean): Diff {
    try {
      return this.#differences(before, after);
    } catch (error) {
      if (!(error instanceof TooMuch) || !enough) throw error;
      this.#givenUp = error;
      return undefined;
    }
  }

  #branch(attribute: number, lefts: readonly Left[]): Diff {
    const groups = new Map<Leaf | Branch, Cell[]>();
    const rest: Cell[] = [];
    for (const [cell, before, after] of lefts) {
      const next = this.#givenUp ? undefined : this.#found(before, after, groups.size > 0);
      const cells = next === undefined ? rest : (groups.get(next) ?? []);
      cells.push(cell);
      if (next !== undefined) groups.set(next, cells);
    }
    const [only] = groups.keys();
    if (only === undefined) return undefined;
    // It makes no difference what the attribute is.
    if (groups.size === 1 && rest.length === 0) return only;
    return {
      kind: 'branch',
      attribute,
      groups: [...groups].map(([next, cells]) => ({ cells, next })),
      rest,
    };
  }
}
