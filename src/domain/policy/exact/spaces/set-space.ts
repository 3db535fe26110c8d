import type { Budget } from '../budget.ts';
import type { Attribute } from '../model.ts';
import { codesOf, type Domain } from '../text/domain.ts';
import { Languages } from '../text/languages.ts';
import type { Row } from '../text/pieces.ts';
import { type Found, TextSearch } from '../text/search.ts';
import type { LazySpace, Sample } from './space.ts';

/**
 * Any number of strings, of which a literal asks whether there is one in its language: a header that may come several times,
 * a claim that is a string or a list. Answers fit together exactly where each that is true has a string of its own that
 * is in none of the languages of those that are false; all such strings at once are then a value.
 */
export class SetSpace implements LazySpace {
  readonly kind = 'lazy';
  readonly attribute: Attribute;
  readonly #all = new Languages();
  readonly #search: TextSearch;
  readonly #languageOf = new Map<number, number>();
  readonly #known = new Map<string, string | undefined>();
  readonly #examples: (literal: number) => readonly string[];

  constructor(
    attribute: Attribute,
    domain: Domain,
    budget: Budget,
    examples: (literal: number) => readonly string[],
  ) {
    this.attribute = attribute;
    this.#search = new TextSearch(this.#all, domain, budget);
    this.#examples = examples;
  }

  add(literal: number, rows: readonly Row[]): void {
    this.#languageOf.set(literal, this.#all.add(rows));
  }

  has(literal: number): boolean {
    return this.#languageOf.has(literal);
  }

  sample(truths: readonly number[], falses: readonly number[]): readonly [Sample] | undefined {
    if (truths.length === 0) return [undefined];
    const texts = new Set<string>();
    for (const literal of truths) {
      const text = this.#text(literal, falses);
      if (text === undefined) return undefined;
      texts.add(text);
    }
    return [{ kind: 'list', texts: [...texts] }];
  }

  /** One string of which all that is true of any is true. */
  one(truths: readonly number[], falses: readonly number[]): string | undefined {
    const given = { within: this.#languages(truths), outside: this.#languages(falses) };
    const [found] = this.#search.find([], given, { enough: true });
    return found && String.fromCharCode(...found.codes);
  }

  /** In the language of the literal, and in none of the others. */
  #text(literal: number, falses: readonly number[]): string | undefined {
    const key = `${literal} ${falses.join(' ')}`;
    if (this.#known.has(key)) return this.#known.get(key);
    const given = { within: this.#languages([literal]), outside: this.#languages(falses) };
    const asked = [...given.within, ...given.outside];
    const natural = this.#examples(literal).find((text) => {
      const own = this.#search.languagesOf(codesOf(text), asked);
      return own?.size === 1 && given.within.every((language) => own.has(language));
    });
    const found: Found | undefined =
      natural === undefined ? this.#search.find([], given, { enough: true })[0] : undefined;
    const text = natural ?? (found && String.fromCharCode(...found.codes));
    this.#known.set(key, text);
    return text;
  }

  #languages(literals: readonly number[]): readonly number[] {
    return literals.flatMap((literal) => this.#languageOf.get(literal) ?? []);
  }
}
