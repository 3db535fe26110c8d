import type { Attribute } from '../model.ts';
import type { Cell, EagerSpace } from './space.ts';

/** One of some things that are known by name, or none of them; a literal asks whether it is the one of its name. */
export class ChoiceSpace implements EagerSpace {
  readonly kind = 'eager';
  readonly attribute: Attribute;
  readonly #nameOf = new Map<number, string>();

  constructor(attribute: Attribute) {
    this.attribute = attribute;
  }

  add(literal: number, name: string): void {
    this.#nameOf.set(literal, name);
  }

  cells(literals: readonly number[], given: Cell | undefined): readonly Cell[] {
    const considered = [...new Set([...literals, ...(given?.considered ?? [])])];
    const cell = (literal: number): Cell => ({
      truths: new Set([literal]),
      considered,
      sample: { kind: 'text', text: this.#nameOf.get(literal) ?? '' },
    });
    const [chosen] = given?.truths ?? [];
    if (chosen !== undefined) return [cell(chosen)];
    const open = literals.filter((literal) => given?.considered.includes(literal) !== true);
    return [{ truths: new Set(), considered, sample: undefined }, ...open.map(cell)];
  }

  better(): undefined {
    return undefined;
  }
}
