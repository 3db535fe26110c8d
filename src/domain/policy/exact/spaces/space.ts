import type { Attribute } from '../model.ts';

/** A value of an attribute; undefined where it is absent. */
export type Sample =
  | undefined
  | { readonly kind: 'text'; readonly text: string }
  /** All the values that a header has, or the strings of a claim, or of a list of metadata. */
  | { readonly kind: 'list'; readonly texts: readonly string[] }
  | {
      readonly kind: 'token';
      /** Whether both are strings, of one text each; otherwise no more than one of them is. */
      readonly named: boolean;
      readonly issuer: readonly string[];
      readonly subject: readonly string[];
    }
  | { readonly kind: 'verdict'; readonly allows: boolean };

/**
 * Values of one attribute that answer some literals alike. `considered` are those that were asked; of these `truths` are
 * true, and the others false.
 */
export interface Cell {
  readonly truths: ReadonlySet<number>;
  readonly considered: readonly number[];
  readonly sample: Sample;
}

/** A value that somebody would recognise. */
export interface Natural {
  readonly sample: Sample;
  /** 0 for what everybody knows, more for what is made of what policies write. */
  readonly rank: number;
}

/** What one attribute can be, and what literals ask of it. Exactly one cell of `cells` holds each value that fits. */
export interface EagerSpace {
  readonly kind: 'eager';
  readonly attribute: Attribute;
  readonly cells: (literals: readonly number[], given: Cell | undefined) => readonly Cell[];
  /** A value as one would write it, where there is one in the cell. */
  readonly better: (cell: Cell) => Natural | undefined;
  /** Tells of what literals all questions are that follow, so that what they have in common is worked out once. */
  readonly expect?: (literals: readonly number[]) => void;
}

/**
 * An attribute of which many answers can be true at once, each by a value of its own, so that its cells may be too many to
 * be listed: literals are answered one by one, as they are needed.
 */
export interface LazySpace {
  readonly kind: 'lazy';
  readonly attribute: Attribute;
  /** Undefined where there is no such value. */
  readonly sample: (truths: readonly number[], falses: readonly number[]) => readonly [Sample] | undefined;
}

export type Space = EagerSpace | LazySpace;
