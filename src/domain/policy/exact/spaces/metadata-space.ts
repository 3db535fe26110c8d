import type { Budget } from '../budget.ts';
import type { Attribute } from '../model.ts';
import { texts } from '../text/domain.ts';
import { Languages } from '../text/languages.ts';
import type { Row } from '../text/pieces.ts';
import { TextSearch } from '../text/search.ts';
import { SetSpace } from './set-space.ts';
import type { LazySpace, Sample } from './space.ts';

/** What a filter has left under a name: nothing that is compared, or a string, or a list of strings. */
export class MetadataSpace implements LazySpace {
  readonly kind = 'lazy';
  readonly attribute: Attribute;
  readonly #lists: SetSpace;
  readonly #all = new Languages();
  readonly #search: TextSearch;
  readonly #languageOf = new Map<number, number>();

  constructor(attribute: Attribute, budget: Budget, examples: (literal: number) => readonly string[]) {
    this.attribute = attribute;
    this.#lists = new SetSpace(attribute, texts, budget, examples);
    this.#search = new TextSearch(this.#all, texts, budget);
  }

  /** What is asked of a string. */
  addText(literal: number, rows: readonly Row[]): void {
    this.#languageOf.set(literal, this.#all.add(rows));
  }

  /** What is asked of a list. */
  addList(literal: number, rows: readonly Row[]): void {
    this.#lists.add(literal, rows);
  }

  sample(truths: readonly number[], falses: readonly number[]): readonly [Sample] | undefined {
    if (truths.length === 0) return [undefined];
    const ofLists = truths.filter((literal) => this.#lists.has(literal));
    if (ofLists.length === truths.length)
      return this.#lists.sample(
        truths,
        falses.filter((literal) => this.#lists.has(literal)),
      );
    // What is a string is no list.
    if (ofLists.length > 0) return undefined;
    const given = { within: this.#languages(truths), outside: this.#languages(falses) };
    const [found] = this.#search.find([], given, { enough: true });
    return found && [{ kind: 'text', text: String.fromCharCode(...found.codes) }];
  }

  #languages(literals: readonly number[]): readonly number[] {
    return literals.flatMap((literal) => this.#languageOf.get(literal) ?? []);
  }
}
