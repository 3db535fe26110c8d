import type { Budget } from '../budget.ts';
import { type Found, type Given, isAsGiven, type TextSearch } from './search.ts';

/** Of more languages there may be too many ways; and of many few are asked about together. */
const mostLanguages = 40;
/** What it may take to work out all ways at once, before it is left. */
const mostSteps = 500_000;
/** So many questions are cheaper to answer one by one. */
const fewQuestions = 2;
/** Answers that are kept, beside that to all at once. */
const kept = 8;

/** All ways in which strings can be in some languages. */
interface Table {
  readonly languages: ReadonlySet<number>;
  readonly found: readonly Found[];
}

/**
 * Answers many questions about some languages as a search would: what is asked of fewer languages is read off the ways in
 * which strings can be in more of them.
 */
export class Atoms {
  readonly #search: TextSearch;
  readonly #budget: Budget;
  #expected: readonly number[] = [];
  #tables: Table[] = [];
  #questions = 0;

  constructor(search: TextSearch, budget: Budget) {
    this.#search = search;
    this.#budget = budget;
  }

  /** What questions are about from here on. */
  expect(languages: readonly number[]): void {
    this.#questions = 0;
    this.#expected = languages;
  }

  /** As TextSearch has it. */
  find(languages: readonly number[], given: Given): readonly Found[] {
    const asked = [...languages, ...given.within, ...given.outside];
    const table = this.#tableOf(asked);
    if (table) return this.#read(table, languages, given);
    const found = this.#search.find(languages, given);
    if (given.within.length + given.outside.length === 0) this.#keep(languages, found);
    return found;
  }

  #tableOf(asked: readonly number[]): Table | undefined {
    const holds = ({ languages }: Table) => asked.every((each) => languages.has(each));
    const known = this.#tables.find(holds);
    if (known) return known;
    this.#questions += 1;
    // Tried once, by the question after the first few.
    if (this.#questions !== fewQuestions + 1 || this.#expected.length > mostLanguages) return undefined;
    const found = this.#budget.attempt(mostSteps, () => this.#search.find(this.#expected));
    const made = found && this.#keep(this.#expected, found);
    return made && holds(made) ? made : undefined;
  }

  #keep(languages: readonly number[], found: readonly Found[]): Table | undefined {
    if (languages.length > mostLanguages) return undefined;
    const made = { languages: new Set(languages), found };
    this.#tables = [made, ...this.#tables.slice(0, kept)];
    return made;
  }

  #read({ found }: Table, languages: readonly number[], given: Given): readonly Found[] {
    const read = new Map<string, Found>();
    for (const { languages: own, codes } of found) {
      if (!isAsGiven(own, given)) continue;
      const asked = languages.filter((language) => own.has(language));
      const key = asked.join(' ');
      // They are in the order of their length, so that the first is the shortest.
      if (!read.has(key)) read.set(key, { languages: new Set(asked), codes });
    }
    this.#budget.spend(1 + (found.length >> 2));
    return [...read.values()];
  }
}
