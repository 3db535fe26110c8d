import type { Budget } from './budget.ts';

/** A formula, by its number: equal formulas are the same one. */
export type Formula = number;

const kinds = { constant: 0, literal: 1, not: 2, and: 3, or: 4 } as const;
type Kind = (typeof kinds)[keyof typeof kinds];
type Joint = typeof kinds.and | typeof kinds.or;

interface Node {
  readonly kind: Kind;
  /** Of `not`, `and`, `or`: sorted, each once. Of a literal: its number. */
  readonly parts: readonly number[];
  /** The attributes that it speaks of, a bit each. */
  readonly attributes: bigint;
}

export const never: Formula = 0;
export const always: Formula = 1;

/**
 * Boolean formulas over literals as a graph in which each formula is there once, so that two which are written alike, in
 * whatever order, are equal by their number. A literal is a yes-or-no question about one attribute.
 */
export class Formulas {
  readonly #nodes: Node[] = [
    { kind: kinds.constant, parts: [], attributes: 0n },
    { kind: kinds.constant, parts: [], attributes: 0n },
  ];
  readonly #numbers = new Map<string, Formula>();
  readonly #budget: Budget;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  literal(literal: number, attribute: number): Formula {
    return this.#give(kinds.literal, [literal], 1n << BigInt(attribute));
  }

  not(formula: Formula): Formula {
    if (formula === never) return always;
    if (formula === always) return never;
    const { kind, parts, attributes } = this.#at(formula);
    return kind === kinds.not ? (parts[0] ?? never) : this.#give(kinds.not, [formula], attributes);
  }

  and(parts: readonly Formula[]): Formula {
    return this.#join(kinds.and, parts);
  }

  or(parts: readonly Formula[]): Formula {
    return this.#join(kinds.or, parts);
  }

  kindOf(formula: Formula): keyof typeof kinds {
    const { kind } = this.#at(formula);
    return (['constant', 'literal', 'not', 'and', 'or'] as const)[kind];
  }

  partsOf(formula: Formula): readonly Formula[] {
    return this.#at(formula).parts;
  }

  attributesOf(formula: Formula): bigint {
    return this.#at(formula).attributes;
  }

  /** The attributes of several, by number. */
  attributeList(...some: readonly Formula[]): readonly number[] {
    let mask = some.reduce((all, formula) => all | this.attributesOf(formula), 0n);
    const found: number[] = [];
    for (let at = 0; mask !== 0n; at += 1, mask >>= 1n) if ((mask & 1n) === 1n) found.push(at);
    return found;
  }

  /** The literals about an attribute in some formulas, each once. */
  literalsOf(attribute: number, ...some: readonly Formula[]): readonly number[] {
    const bit = 1n << BigInt(attribute);
    const seen = new Set<Formula>();
    const found = new Set<number>();
    const look = [...some];
    for (let formula = look.pop(); formula !== undefined; formula = look.pop()) {
      const { kind, parts, attributes } = this.#at(formula);
      if ((attributes & bit) === 0n || seen.has(formula)) continue;
      seen.add(formula);
      if (kind === kinds.literal) found.add(parts[0] ?? 0);
      else for (const part of parts) look.push(part);
    }
    return [...found].toSorted((a, b) => a - b);
  }

  /**
   * What is left of two formulas when all that they share at their top is taken away: where both are `or` the same parts
   * decide both alike or leave the rest to decide, and so with `and`. They differ only where these cores do.
   */
  cores(a: Formula, b: Formula): readonly [Formula, Formula] {
    if (a === b) return [a, b];
    const [left, right] = [this.#at(a), this.#at(b)];
    if (left.kind === kinds.not && right.kind === kinds.not)
      return this.cores(left.parts[0] ?? never, right.parts[0] ?? never);
    const kind = joint(left.kind) ?? joint(right.kind);
    if (kind === undefined || (joint(left.kind) ?? kind) !== kind || (joint(right.kind) ?? kind) !== kind)
      return [a, b];
    const ownA = left.kind === kind ? left.parts : [a];
    const ownB = right.kind === kind ? right.parts : [b];
    const inB = new Set(ownB);
    const shared = new Set(ownA.filter((part) => inB.has(part)));
    const restA = ownA.filter((part) => !shared.has(part));
    const restB = ownB.filter((part) => !shared.has(part));
    const [onlyA, onlyB] = [restA[0], restB[0]];
    if (restA.length === 1 && restB.length === 1 && onlyA !== undefined && onlyB !== undefined)
      return this.cores(onlyA, onlyB);
    return shared.size === 0 ? [a, b] : [this.#join(kind, restA), this.#join(kind, restB)];
  }

  #join(kind: Joint, parts: readonly Formula[]): Formula {
    const [neutral, absorbing] = kind === kinds.and ? [always, never] : [never, always];
    const flat = new Set<Formula>();
    for (const part of parts) {
      if (part === absorbing) return absorbing;
      if (part === neutral) continue;
      const node = this.#at(part);
      if (node.kind === kind) for (const inner of node.parts) flat.add(inner);
      else flat.add(part);
    }
    let attributes = 0n;
    for (const part of flat) {
      const node = this.#at(part);
      if (node.kind === kinds.not && flat.has(node.parts[0] ?? never)) return absorbing;
      attributes |= node.attributes;
    }
    const [first = neutral] = flat;
    if (flat.size < 2) return first;
    return this.#give(
      kind,
      [...flat].sort((a, b) => a - b),
      attributes,
    );
  }

  #give(kind: Kind, parts: readonly number[], attributes: bigint): Formula {
    const key = `${kind} ${parts.join(' ')}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    // What is kept takes memory, so that this bounds it.
    this.#budget.spend(1 + parts.length);
    const number = this.#nodes.length;
    this.#nodes.push({ kind, parts, attributes });
    this.#numbers.set(key, number);
    return number;
  }

  #at(formula: Formula): Node {
    const node = this.#nodes[formula];
    if (node === undefined) throw new Error(`there is no formula ${formula}`);
    return node;
  }
}

function joint(kind: Kind): Joint | undefined {
  return kind === kinds.and || kind === kinds.or ? kind : undefined;
}
