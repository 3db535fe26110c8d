import { describeCells } from './describe.ts';
import type { Branch, Diff, Leaf } from './explore.ts';
import type { Constraint, Region } from './model.ts';
import type { Cell, Sample } from './spaces/space.ts';
import type { Vocabulary } from './vocabulary.ts';
import type { Samples } from './witness.ts';

export interface FoundRegion {
  readonly becomes: Leaf['becomes'];
  readonly region: Region;
  readonly samples: Samples;
}

/** The ways through a graph of differences, each a region; together they are all of it unless there are more than `most`. */
export function regionsOf(
  vocabulary: Vocabulary,
  diff: Diff,
  most: number,
): { readonly regions: readonly FoundRegion[]; readonly complete: boolean } {
  const regions: FoundRegion[] = [];
  let complete = true;
  // What is said of a group is the same on each way to it.
  const described = new Map<readonly Cell[], readonly [Constraint, Sample]>();
  const describe = (branch: Branch, cells: readonly Cell[]) => {
    const before = described.get(cells);
    if (before) return before;
    const space = vocabulary.space(branch.attribute);
    const isOdd = ({ truths }: Cell) =>
      [...truths].some((literal) => vocabulary.literal(literal).list.field === 'ambiguous');
    // Of what is refused as ambiguous last.
    const ordered = cells.toSorted(
      (a, b) => Number(isOdd(a)) - Number(isOdd(b)) || b.truths.size - a.truths.size,
    );
    const sample = bestSample(ordered, space.kind === 'eager' ? (cell) => space.better(cell) : undefined);
    const made = [describeCells(vocabulary, branch, cells, sample), sample] as const;
    described.set(cells, made);
    return made;
  };
  const go = (at: Leaf | Branch, constraints: readonly Constraint[], samples: Samples): void => {
    if (regions.length >= most) {
      complete = false;
      return;
    }
    if (at.kind === 'leaf') {
      regions.push({ becomes: at.becomes, region: { constraints }, samples });
      return;
    }
    for (const { cells, next } of at.groups) {
      if (regions.length >= most) {
        complete = false;
        return;
      }
      const [constraint, sample] = describe(at, cells);
      go(next, [...constraints, constraint], [...samples, [constraint.attribute, sample]]);
    }
  };
  if (diff !== undefined) go(diff, [], []);
  return { regions, complete };
}

/** A value as one would write it, of one of the first cells; else any. */
function bestSample(ordered: readonly Cell[], better: ((cell: Cell) => Sample) | undefined): Sample {
  if (better)
    for (const cell of ordered.slice(0, 20)) {
      const sample = better(cell);
      if (sample !== undefined && sample !== cell.sample) return sample;
    }
  const present = ordered.find(({ sample }) => sample !== undefined) ?? ordered[0];
  return present?.sample;
}
