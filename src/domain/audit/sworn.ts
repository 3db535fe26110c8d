import { describeError, isCitadelError } from '../../kernel/index.ts';
import type { TreeHead } from '../ports/index.ts';
import { type Checkpoint, openCheckpoint } from './checkpoint.ts';
import type { NoteKey } from './note.ts';

/** What a log has sworn to, by all the checkpoints that somebody has kept. */
export interface Sworn {
  /** The roots by their sizes: one each, unless two were sworn to. */
  readonly roots: ReadonlyMap<number, readonly string[]>;
  /** How many were believed. */
  readonly count: number;
  readonly newest: Checkpoint | undefined;
  /** What an operator gave up by accepting an older store. */
  readonly abandoned: readonly Checkpoint[];
  /** What was wrong with those that were not, the first of them. */
  readonly refused: readonly string[];
}

const mostRefused = 10;

/** Reads them all; what it holds of each is its size and its root. */
export async function collectSworn(
  sources: Iterable<{ readonly name: string; readonly notes: AsyncIterable<string> | Iterable<string> }>,
  key: NoteKey,
): Promise<Sworn> {
  const roots = new Map<number, readonly string[]>();
  const abandoned: Checkpoint[] = [];
  const refused: string[] = [];
  let count = 0;
  let newest: Checkpoint | undefined;
  for (const { name, notes } of sources) {
    const own = new Map<number, readonly string[]>();
    let position = 0;
    for await (const note of notes) {
      position += 1;
      try {
        const checkpoint = openCheckpoint(note, key);
        count += 1;
        if (checkpoint.abandoned) {
          abandoned.push(checkpoint);
          giveUp(own, checkpoint);
        }
        add(own, checkpoint.size, textOf(checkpoint));
        if (!newest || checkpoint.at > newest.at) newest = checkpoint;
      } catch (error) {
        if (!isCitadelError(error)) throw error;
        if (refused.length < mostRefused)
          refused.push(`${name}, checkpoint ${position}: ${describeError(error)}`);
      }
    }
    for (const [size, each] of own) for (const root of each) add(roots, size, root);
  }
  return { roots, count, newest, abandoned, refused };
}

/** What was sworn to of entries that came behind the store that was accepted holds no more. */
function giveUp(own: Map<number, readonly string[]>, { size }: Checkpoint): void {
  for (const each of own.keys()) if (each >= size) own.delete(each);
}

function add(roots: Map<number, readonly string[]>, size: number, root: string): void {
  const known = roots.get(size) ?? [];
  if (!known.includes(root)) roots.set(size, [...known, root]);
}

function textOf({ root }: TreeHead): string {
  return Buffer.from(root).toString('base64');
}
