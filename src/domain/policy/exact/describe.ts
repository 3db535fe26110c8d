import { once } from '../../../kernel/index.ts';
import type { Branch } from './explore.ts';
import type { Alternative, Constraint, PatternList } from './model.ts';
import type { Cell, Sample } from './spaces/space.ts';
import type { Vocabulary } from './vocabulary.ts';

/** Beside the literals: that the attribute is there. */
const present = -1;

/** Of one group of cells more than this are not told one by one. */
const mostAlternatives = 50;

/** Answers that some cells have in common, and no others. */
interface Cube {
  readonly yes: readonly number[];
  readonly no: readonly number[];
}

/**
 * Says of a group of cells in what they differ from all others, with as little as that takes: each alternative holds for no
 * cell outside, and together they hold for all within.
 */
export function describeCells(
  vocabulary: Vocabulary,
  branch: Branch,
  within: readonly Cell[],
  sample: Sample,
): Constraint {
  const space = vocabulary.space(branch.attribute);
  const signs = space.kind === 'eager' ? signedWithPresence : signed;
  const outside = [
    ...branch.rest,
    ...branch.groups.flatMap(({ cells }) => (cells === within ? [] : cells)),
  ].map(signs);
  const left = within.map(signs).sort((a, b) => a.truths.size - b.truths.size);
  const alternatives: Alternative[] = [];
  let more = 0;
  while (left.length > 0) {
    const [first] = left;
    if (!first) break;
    if (alternatives.length === mostAlternatives) {
      more = left.length;
      break;
    }
    const cube = cubeAround(first, outside);
    alternatives.push({ matches: cube.yes.map(listOf(vocabulary)), except: cube.no.map(listOf(vocabulary)) });
    const uncovered = left.filter((cell) => cell !== first && !covers(cube, cell));
    left.splice(0, left.length, ...uncovered);
  }
  return { attribute: space.attribute, alternatives, more, example: textOf(sample) };
}

function listOf(vocabulary: Vocabulary): (literal: number) => PatternList {
  return (literal) =>
    literal === present ? { field: 'present', patterns: [] } : vocabulary.literal(literal).list;
}

interface Signed {
  readonly truths: ReadonlySet<number>;
  readonly considered: ReadonlySet<number>;
}

/** Once for a cell, which is told apart from those of each other group. */
const signed = once(
  // Of what can be several things at once it is not told apart whether it is there at all.
  ({ truths, considered }: Cell): Signed => ({ truths, considered: setOf(considered) }),
);

const signedWithPresence = once(
  ({ truths, considered, sample }: Cell): Signed => ({
    truths: sample === undefined ? truths : new Set([...truths, present]),
    considered: withPresence(considered),
  }),
);

/** Cells that were made together have the same list. */
const setOf = once((literals: readonly number[]): ReadonlySet<number> => new Set(literals));
const withPresence = once(
  (literals: readonly number[]): ReadonlySet<number> => new Set([...literals, present]),
);

function cubeAround(cell: Signed, outside: readonly Signed[]): Cube {
  let yes = [...cell.truths];
  let no: number[] = [];
  for (const other of outside) {
    if (!mayHold({ yes, no }, other)) continue;
    const apart = [...other.truths].find(
      (literal) => cell.considered.has(literal) && !cell.truths.has(literal),
    );
    if (apart !== undefined) no.push(apart);
  }
  const breadth = (literal: number) => outside.filter(({ truths }) => truths.has(literal)).length;
  const isApart = (cube: Cube) => !outside.some((other) => mayHold(cube, other));
  for (const literal of yes.toSorted((a, b) => breadth(b) - breadth(a) || a - b)) {
    const fewer = yes.filter((each) => each !== literal);
    if (isApart({ yes: fewer, no })) yes = fewer;
  }
  // Many exceptions were each found necessary, one after the other.
  if (no.length <= mostAlternatives)
    for (const literal of no) {
      const fewer = no.filter((each) => each !== literal);
      if (isApart({ yes, no: fewer })) no = fewer;
    }
  return { yes, no };
}

function mayHold({ yes, no }: Cube, { truths, considered }: Signed): boolean {
  return (
    yes.every((literal) => truths.has(literal) || !considered.has(literal)) &&
    !no.some((literal) => truths.has(literal))
  );
}

function covers({ yes, no }: Cube, { truths, considered }: Signed): boolean {
  return (
    yes.every((literal) => truths.has(literal)) &&
    no.every((literal) => considered.has(literal) && !truths.has(literal))
  );
}

function textOf(sample: Sample): string | undefined {
  switch (sample?.kind) {
    case undefined:
      return undefined;
    case 'text':
      return sample.text;
    case 'list':
      return sample.texts.join(', ');
    case 'token':
      return `${sample.issuer.join(', ')}/${sample.subject.join(', ')}`;
    case 'verdict':
      return sample.allows ? 'allows' : 'refuses';
  }
}
