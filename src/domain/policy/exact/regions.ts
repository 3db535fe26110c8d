import { describeCells } from './describe.ts';
import type { Branch, Diff, Leaf } from './explore.ts';
import type { Constraint, Region } from './model.ts';
import type { Cell, EagerSpace, Natural, Sample } from './spaces/space.ts';
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
    // Of what is refused as ambiguous last.
    const isOdd = ({ truths }: Cell) =>
      [...truths].some((literal) => vocabulary.literal(literal).list.field === 'ambiguous');
    const plain = cells.filter((cell) => !isOdd(cell));
    const ordered = (plain.length > 0 ? plain : cells).toSorted((a, b) => b.truths.size - a.truths.size);
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

/** What one knows best, of one of the first cells; else any. */
function bestSample(ordered: readonly Cell[], better: EagerSpace['better'] | undefined): Sample {
  let best: Natural | undefined;
  for (const cell of better ? ordered.slice(0, 20) : []) {
    const natural = better?.(cell);
    if (natural && (best === undefined || natural.rank < best.rank)) best = natural;
    if (best?.rank === 0) break;
  }
  if (best) return best.sample;
  const present = ordered.find(({ sample }) => sample !== undefined) ?? ordered[0];
  return present?.sample;
}
