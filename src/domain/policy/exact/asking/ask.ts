import { type MeshNames } from '../../decide/index.ts';
import { type Formula } from '../formulas.ts';
import type { PatternList } from '../model.ts';
import type { TextSpace } from '../spaces/text-space.ts';
import { type Row } from '../text/pieces.ts';
import type { CarrierSeen } from '../tokens/formulas.ts';
import type { Vocabulary } from '../vocabulary.ts';

/** What the same list means depends on. */
export interface Reading {
  readonly vocabulary: Vocabulary;
  readonly mesh: MeshNames;
  readonly port: number | 'other';
  /** Before tokens have been looked at no claim is known. */
  readonly early: boolean;
  /** When a token is taken, without which there are no claims; undefined where claims are free. */
  readonly taken?: Formula | undefined;
  /** Claims of which a string is read as its words, beside those of which it always is. */
  readonly words?: ReadonlySet<string>;
  /** Headers in which tokens come, by name in small letters. */
  readonly carriers?: ReadonlyMap<string, CarrierSeen>;
  /** Headers that are made of claims, by name in small letters. */
  readonly made?: ReadonlyMap<string, string>;
  /** Asked of the connection that a request comes in: what the request says of a client before is not known there. */
  readonly ofConnection?: boolean;
}

/** Asks whether any of the patterns of a list matches. */
export type Any = (field: string, patterns: readonly string[], reading: Reading) => Formula;

/** A literal about one text; `kind` tells apart what the same patterns ask in different ways. */
export function asked(
  vocabulary: Vocabulary,
  space: TextSpace,
  kind: string,
  list: PatternList,
  rows: (pattern: string) => readonly Row[],
): Formula {
  return vocabulary.ask({
    space,
    key: keyOf(kind, list.patterns),
    list,
    add: (own, literal) => {
      own.add(literal, list.patterns.flatMap(rows));
    },
  });
}

export function keyOf(kind: string, patterns: readonly string[]): string {
  return `${kind} ${JSON.stringify([...new Set(patterns)].toSorted())}`;
}
