import type { Budget } from '../budget.ts';
import type { Attribute } from '../model.ts';
import { texts } from '../text/domain.ts';
import { Languages } from '../text/languages.ts';
import type { Row } from '../text/pieces.ts';
import { TextSearch } from '../text/search.ts';
import { SetSpace } from './set-space.ts';
import type { LazySpace, Sample } from './space.ts';

/**
 * A claim: a list of any strings, or a string, which is as a list with that in it. But a rule for tokens may have a string
 * read as the list of its words, and another rule as it is: so what is asked of words is another thing there.
 */
export class ClaimSpace implements LazySpace {
  readonly kind = 'lazy';
  readonly attribute: Attribute;
  readonly #lists: SetSpace;
  readonly #all = new Languages();
  readonly #strings: TextSearch;
  readonly #languageOf = new Map<number, number>();
  readonly #ofWords = new Set<number>();
  readonly #isString: boolean;

  /** @param isString it is never a list */
  constructor(
    attribute: Attribute,
    budget: Budget,
    examples: (literal: number) => readonly string[],
    isString = false,
  ) {
    this.attribute = attribute;
    this.#lists = new SetSpace(attribute, texts, budget, examples);
    this.#strings = new TextSearch(this.#all, texts, budget);
    this.#isString = isString;
  }

  /** @param words what is asked of a string that is read as words; undefined where it is read as it is */
  add(literal: number, rows: readonly Row[], words?: readonly Row[]): void {
    this.#lists.add(literal, rows);
    this.#languageOf.set(literal, this.#all.add(words ?? rows));
    if (words) this.#ofWords.add(literal);
  }

  sample(truths: readonly number[], falses: readonly number[]): readonly [Sample] | undefined {
    if (truths.length === 0) return [undefined];
    const list = this.#isString ? undefined : this.#lists.sample(truths, falses);
    const isOfWords = [...truths, ...falses].some((literal) => this.#ofWords.has(literal));
    if (list || !(this.#isString || isOfWords)) return list;
    const given = { within: this.#languages(truths), outside: this.#languages(falses) };
    const [found] = this.#strings.find([], given, { enough: true });
    return found && [{ kind: 'text', text: String.fromCharCode(...found.codes) }];
  }

  #languages(literals: readonly number[]): readonly number[] {
    return literals.flatMap((literal) => this.#languageOf.get(literal) ?? []);
  }
}
