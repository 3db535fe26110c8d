/** A line of a text, and what became of it. */
export interface DiffLine {
  readonly kind: 'same' | 'removed' | 'added';
  readonly text: string;
}

/**
 * Lines that differ, beyond which the shortest way from one text to the other is not looked for: it takes time and memory
 * by their square.
 */
const mostDifferences = 500;

/**
 * The shortest way from one text to another, line by line, removals before additions (Myers, "An O(ND) Difference
 * Algorithm", 1986). Of texts that share next to nothing all is removed, and all added.
 */
export function diffLines(before: string, after: string): readonly DiffLine[] {
  const from = linesOf(before);
  const to = linesOf(after);
  const begin = commonLength(from.length, to.length, (at) => from[at] === to[at]);
  const shorter = Math.min(from.length, to.length) - begin;
  const end = commonLength(shorter, shorter, (at) => from.at(-1 - at) === to.at(-1 - at));
  const lines = (kind: DiffLine['kind'], texts: readonly string[]) => texts.map((text) => ({ kind, text }));
  return [
    ...lines('same', from.slice(0, begin)),
    ...between(from.slice(begin, from.length - end), to.slice(begin, to.length - end)),
    ...lines('same', from.slice(from.length - end)),
  ];
}

function linesOf(text: string): readonly string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

function commonLength(a: number, b: number, isSame: (at: number) => boolean): number {
  let length = 0;
  while (length < Math.min(a, b) && isSame(length)) length += 1;
  return length;
}

function between(from: readonly string[], to: readonly string[]): readonly DiffLine[] {
  const path = shortestPath(from, to);
  if (path === undefined)
    return [
      ...from.map((text): DiffLine => ({ kind: 'removed', text })),
      ...to.map((text): DiffLine => ({ kind: 'added', text })),
    ];
  const lines: DiffLine[] = [];
  let x = from.length;
  let y = to.length;
  // Backwards, from the furthest that each number of differences came.
  for (const [d, reached] of [...path.entries()].toReversed()) {
    const k = x - y;
    const came = cameFrom(k, d, reached);
    const startX = reached.get(came) ?? 0;
    const startY = startX - came;
    while (x > startX && y > startY) {
      x -= 1;
      y -= 1;
      lines.push({ kind: 'same', text: from[x] ?? '' });
    }
    if (d === 0) break;
    if (x === startX) lines.push({ kind: 'added', text: to[startY] ?? '' });
    else lines.push({ kind: 'removed', text: from[startX] ?? '' });
    x = startX;
    y = startY;
  }
  return lines.toReversed();
}

/** For each number of differences how far one came before it, by diagonal; undefined where they are too many. */
function shortestPath(
  from: readonly string[],
  to: readonly string[],
): readonly ReadonlyMap<number, number>[] | undefined {
  const most = Math.min(from.length + to.length, mostDifferences);
  let reached = new Map<number, number>([[1, 0]]);
  const path: ReadonlyMap<number, number>[] = [];
  for (let d = 0; d <= most; d += 1) {
    path.push(reached);
    const next = new Map<number, number>();
    for (let k = -d; k <= d; k += 2) {
      const came = cameFrom(k, d, reached);
      let x = (reached.get(came) ?? 0) + (came < k ? 1 : 0);
      while (x < from.length && x - k < to.length && from[x] === to[x - k]) x += 1;
      next.set(k, x);
      if (x >= from.length && x - k >= to.length) return path;
    }
    reached = next;
  }
  return undefined;
}

/** From which diagonal the one `k` is reached furthest by difference `d`: by an addition from above, or a removal. */
function cameFrom(k: number, d: number, reached: ReadonlyMap<number, number>): number {
  const byAddition = k === -d || (k !== d && (reached.get(k - 1) ?? -1) < (reached.get(k + 1) ?? -1));
  return byAddition ? k + 1 : k - 1;
}
