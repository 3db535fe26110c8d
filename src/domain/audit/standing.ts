import { CitadelError, describeError, isCitadelError } from '../../kernel/index.ts';
import type { AuditLog } from '../ports/index.ts';
import { type Checkpoint, claimedOrigin, openCheckpoint } from './checkpoint.ts';
import type { NoteKey } from './note.ts';

/** How the audit record stands to the last checkpoint of a place. */
export type Standing =
  /** None is kept there. */
  | { readonly kind: 'none' }
  /** None is kept there any more: it was taken away, or another place is in its stead. */
  | { readonly kind: 'gone' }
  /** All that was sworn to is in the store, as it was. */
  | { readonly kind: 'follows'; readonly checkpoint: Checkpoint }
  /** Entries are missing at the end: an older store was put in its place, or its end was cut off. */
  | { readonly kind: 'behind'; readonly checkpoint: Checkpoint; readonly size: number }
  /** Entries that were sworn to are not what they were. */
  | { readonly kind: 'differs'; readonly checkpoint: Checkpoint }
  /** The last checkpoint is no evidence: of another log, of another key, or damaged. */
  | { readonly kind: 'foreign'; readonly why: string };

/**
 * @param note the last one that a place keeps
 * @param kept whether the record says that it has kept one
 */
export async function standingOf(
  note: string | undefined,
  key: NoteKey,
  log: Pick<AuditLog, 'head' | 'rootAt'>,
  kept = false,
): Promise<Standing> {
  if (note === undefined) return { kind: kept ? 'gone' : 'none' };
  let checkpoint: Checkpoint;
  try {
    checkpoint = openCheckpoint(note, key);
  } catch (error) {
    if (!isCitadelError(error, 'DataLoss')) throw error;
    const origin = claimedOrigin(note);
    const why =
      origin === key.name ? describeError(error) : `it names the log ${origin}, and this one is ${key.name}`;
    return { kind: 'foreign', why };
  }
  const { size } = await log.head();
  if (size < checkpoint.size) return { kind: 'behind', checkpoint, size };
  const root = await log.rootAt(checkpoint.size);
  return { kind: Buffer.compare(root, checkpoint.root) === 0 ? 'follows' : 'differs', checkpoint };
}

/** Whether the store may be gone on with. */
export function agrees({ kind }: Standing): boolean {
  return kind === 'none' || kind === 'follows';
}

/** Whether something that was taken back would be good again: what cannot be known is taken to be so. */
export function losesRevocations(standing: Standing): boolean {
  switch (standing.kind) {
    case 'none':
    case 'follows':
      return false;
    case 'behind':
      return standing.checkpoint.revoked > standing.size;
    case 'gone':
    case 'differs':
    case 'foreign':
      return true;
  }
}

/** What is wrong, in a line for the operator. */
export function describeStanding(standing: Standing): string {
  switch (standing.kind) {
    case 'none':
      return 'keeps no checkpoint yet';
    case 'gone':
      return 'it has kept checkpoints of this record, and keeps none any more: it was taken away, emptied, or another one is configured, so that nothing shows whether this store is an older one';
    case 'follows':
      return `agrees, up to entry ${standing.checkpoint.size}`;
    case 'behind':
      return (
        `the audit record has ${standing.size} entries, and its checkpoint of ${standing.checkpoint.at.toISOString()} ` +
        `swears to ${standing.checkpoint.size}: an older store is in its place, or its end was cut off; ` +
        (losesRevocations(standing)
          ? `entry ${standing.checkpoint.revoked}, which is missing, takes something back`
          : 'nothing that is missing takes anything back')
      );
    case 'differs':
      return (
        `the first ${standing.checkpoint.size} entries are not those that the checkpoint of ` +
        `${standing.checkpoint.at.toISOString()} swears to: the store was rewritten, or is another one`
      );
    case 'foreign':
      return `the last checkpoint is not this server's: ${standing.why}`;
  }
}

/** @throws CitadelError FailedPrecondition, saying what to do */
export function requireAgreement(place: string, standing: Standing): void {
  if (agrees(standing)) return;
  throw new CitadelError(
    'FailedPrecondition',
    `the audit record disagrees with what was sworn to outside of the store (${place}): ${describeStanding(standing)}. ` +
      (standing.kind === 'gone'
        ? 'Give the place back; '
        : 'Whatever was decided in what is missing would be undone. Find the right store; ') +
      'citadel log verify says where it differs. After a restore that is meant: citadel log accept',
  );
}
