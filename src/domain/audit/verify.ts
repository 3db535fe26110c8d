import type { StoredAuditEntry } from '../ports/index.ts';
import { moveEntry } from './entry.ts';
import type { Sworn } from './sworn.ts';
import { Frontier, hashBytes, leafHash } from './tree.ts';

/** What is wrong with a record, by kinds; docs/audit-record.md says what each means. */
export type FaultKind = 'changed' | 'missing' | 'extra' | 'reordered' | 'rewritten' | 'cut' | 'checkpoint';

export interface Fault {
  readonly kind: FaultKind;
  /** The first entry that it concerns; undefined for a checkpoint. */
  readonly sequence: number | undefined;
  readonly what: string;
}

export interface Verdict {
  /** Entries that were read and are as they were recorded. */
  readonly verified: number;
  /** The root over these, base64. */
  readonly root: string;
  /** Up to here a checkpoint swears to them. */
  readonly sworn: number;
  readonly faults: readonly Fault[];
}

/** Oldest first, behind a sequence number; none when there are no more. */
export type ReadEntries = (after: number) => Promise<readonly StoredAuditEntry[]>;

const first = Number.MIN_SAFE_INTEGER;

/**
 * Recomputes the whole tree out of the entries' bytes and holds it against what was kept with them and what was sworn to.
 * Ends at the first bad entry: what comes behind it proves nothing. Holds one page of entries at a time.
 * @param sworn undefined where nothing was kept: then a cut end, or a record rewritten as a whole, does not show
 */
export async function verifyRecord(read: ReadEntries, sworn: Sworn | undefined): Promise<Verdict> {
  const frontier = new Frontier();
  const faults: Fault[] = (sworn?.refused ?? []).map((what) => ({
    kind: 'checkpoint',
    sequence: undefined,
    what,
  }));
  let agreed = 0;
  let fault: Fault | undefined;
  for await (const stored of all(read)) {
    const expected = frontier.size + 1;
    fault =
      placeFault(stored, expected) ??
      (await contentFault(stored, frontier.append(leafHash(stored.entry)), read));
    if (fault) break;
    const roots = sworn?.roots.get(expected);
    if (!roots) continue;
    const root = base64(frontier.root());
    if (roots.some((each) => each !== root)) {
      fault = rewritten(agreed, expected, roots.length);
      break;
    }
    agreed = expected;
  }
  const verified = fault?.sequence === undefined ? frontier.size : Math.max(0, fault.sequence - 1);
  if (fault) faults.push(fault);
  else if (sworn) faults.push(...cutFaults(frontier.size, sworn));
  return { verified, root: fault ? '' : base64(frontier.root()), sworn: agreed, faults };
}

async function* all(read: ReadEntries): AsyncGenerator<StoredAuditEntry> {
  for (let after = first; ; ) {
    const page = await read(after);
    yield* page;
    const last = page.at(-1);
    if (!last || last.sequence <= after) return;
    after = last.sequence;
  }
}

function placeFault({ sequence }: StoredAuditEntry, expected: number): Fault | undefined {
  if (sequence === expected) return undefined;
  if (sequence < expected)
    return { kind: 'extra', sequence, what: `entry ${sequence} stands where no entry can stand` };
  const last = sequence - 1;
  const which = last === expected ? `entry ${expected} is` : `entries ${expected} to ${last} are`;
  return { kind: 'missing', sequence: expected, what: `${which} missing` };
}

async function contentFault(
  stored: StoredAuditEntry,
  expected: Buffer,
  read: ReadEntries,
): Promise<Fault | undefined> {
  const { sequence, entry, hashes } = stored;
  if (expected.equals(hashes)) return undefined;
  if (entry.length === 0)
    return { kind: 'changed', sequence, what: `entry ${sequence} holds what was never written` };
  const leaf = Buffer.from(hashes.subarray(0, hashBytes));
  if (leaf.equals(expected.subarray(0, hashBytes)))
    return { kind: 'changed', sequence, what: `the hashes kept with entry ${sequence} were changed` };
  const from = await originOf(stored, leaf, read);
  return from === undefined
    ? { kind: 'changed', sequence, what: `entry ${sequence} was changed` }
    : { kind: 'reordered', sequence, what: `entry ${sequence} holds what was recorded as entry ${from}` };
}

/** Where in the record an entry stood before: by its own hash, or by the hash that its place has kept. */
async function originOf(
  { sequence, entry }: StoredAuditEntry,
  leaf: Buffer,
  read: ReadEntries,
): Promise<number | undefined> {
  for await (const other of all(read)) {
    if (other.sequence === sequence) continue;
    const moved = leafHash(moveEntry(entry, other.sequence));
    if (moved.equals(leaf) || moved.equals(other.hashes.subarray(0, hashBytes))) return other.sequence;
  }
  return undefined;
}

function rewritten(agreed: number, size: number, roots: number): Fault {
  const what =
    roots > 1
      ? `two different records of ${size} entries were sworn to`
      : `entries ${agreed + 1} to ${size} are not those that a checkpoint swears to`;
  return { kind: 'rewritten', sequence: agreed + 1, what };
}

function cutFaults(size: number, { roots }: Sworn): Fault[] {
  let furthest = size;
  for (const each of roots.keys()) if (each > furthest) furthest = each;
  if (furthest === size) return [];
  return [
    {
      kind: 'cut',
      sequence: size + 1,
      what: `the record ends with entry ${size}, and a checkpoint swears to ${furthest}`,
    },
  ];
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
