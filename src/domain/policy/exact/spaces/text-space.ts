import type { Budget } from '../budget.ts';
import type { Attribute } from '../model.ts';
import { Atoms } from '../text/atoms.ts';
import { codesOf, type Domain } from '../text/domain.ts';
import { Languages } from '../text/languages.ts';
import type { Row } from '../text/pieces.ts';
import { TextSearch } from '../text/search.ts';
import type { Cell, EagerSpace, Natural, Sample } from './space.ts';

/** Texts that would be natural, those first that one knows best: of each rank some, the best first. */
export type ExamplesOf = (cell: Cell) => readonly (readonly string[])[];

/** One string, or none: a caller's identity, a method, a path. Literals and languages are told apart by a map. */
export class TextSpace implements EagerSpace {
  readonly kind = 'eager';
  readonly attribute: Attribute;
  readonly #all = new Languages();
  readonly #search: TextSearch;
  readonly #atoms: Atoms;
  readonly #isOptional: boolean;
  readonly #languageOf = new Map<number, number>();
  readonly #literalOf: number[] = [];
  readonly #examples: ExamplesOf;

  /** @param examples only one that is in the cell is taken */
  constructor(
    attribute: Attribute,
    domain: Domain,
    budget: Budget,
    { isOptional = false, examples }: { isOptional?: boolean; examples: ExamplesOf },
  ) {
    this.attribute = attribute;
    this.#search = new TextSearch(this.#all, domain, budget);
    this.#atoms = new Atoms(this.#search, budget);
    this.#isOptional = isOptional;
    this.#examples = examples;
  }

  /** @param isAmbiguity as Languages has it */
  add(literal: number, rows: readonly Row[], isAmbiguity = false): void {
    this.#languageOf.set(literal, this.#all.add(rows, isAmbiguity));
    this.#literalOf.push(literal);
  }

  expect(literals: readonly number[]): void {
    this.#atoms.expect(this.#languages(literals));
  }

  cells(literals: readonly number[], given: Cell | undefined): readonly Cell[] {
    const considered = [...new Set([...literals, ...(given?.considered ?? [])])];
    const truths = [...(given?.truths ?? [])];
    const outside = (given?.considered ?? []).filter((literal) => given?.truths.has(literal) !== true);
    const cell = (found: Iterable<number>, sample: Sample): Cell => ({
      truths: new Set([...truths, ...found]),
      considered,
      sample,
    });
    const absent: Cell[] =
      this.#isOptional && truths.length === 0 && given?.sample === undefined ? [cell([], undefined)] : [];
    if (given !== undefined && given.sample === undefined) return absent;
    const found = this.#atoms.find(this.#languages(literals), {
      within: this.#languages(truths),
      outside: this.#languages(outside),
    });
    return [
      ...absent,
      ...found.map(({ languages, codes }) =>
        cell(
          [...languages].map((language) => this.#literalOf[language] ?? 0),
          { kind: 'text', text: String.fromCharCode(...codes) },
        ),
      ),
    ];
  }

  /** Which of these literals are true of one value; undefined where nothing can have it. */
  truthsOf(text: string | undefined, literals: readonly number[]): ReadonlySet<number> | undefined {
    if (text === undefined) return this.#isOptional ? new Set() : undefined;
    const found = this.#search.languagesOf(codesOf(text), this.#languages(literals));
    return found && new Set([...found].map((language) => this.#literalOf[language] ?? 0));
  }

  better(cell: Cell): Natural | undefined {
    if (cell.sample === undefined) return undefined;
    const considered = this.#languages(cell.considered);
    const wanted = new Set(this.#languages([...cell.truths]));
    for (const [rank, texts] of this.#examples(cell).entries())
      for (const text of texts) {
        const own = this.#search.languagesOf(codesOf(text), considered);
        if (own?.size === wanted.size && [...own].every((language) => wanted.has(language)))
          return { sample: { kind: 'text', text }, rank };
      }
    return undefined;
  }

  #languages(literals: readonly number[]): readonly number[] {
    return literals.flatMap((literal) => this.#languageOf.get(literal) ?? []);
  }
}
