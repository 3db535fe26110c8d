import { CitadelError } from '../../kernel/index.ts';
import type { CertificateSigner } from '../../pki/index.ts';
import type { TreeHead } from '../ports/index.ts';
import { type NoteKey, openNote, signNote } from './note.ts';
import { hashBytes } from './tree.ts';

/**
 * What a log has sworn to: C2SP's tlog-checkpoint, with the time, the last revocation and what was given up in lines of
 * their own.
 */
export interface Checkpoint extends TreeHead {
  /** Which log: the name of its key. */
  readonly origin: string;
  readonly at: Date;
  /** The last entry that takes something back, 0 for none: a store that ends before it would undo that. */
  readonly revoked: number;
  /** A head that had been sworn to and that an operator gave up: the store was set back behind it. */
  readonly abandoned?: TreeHead;
}

/** @returns the signed note */
export function signCheckpoint(
  checkpoint: Omit<Checkpoint, 'origin'>,
  key: NoteKey,
  signer: CertificateSigner,
): Promise<string> {
  return signNote(textOf({ ...checkpoint, origin: key.name }), key, signer);
}

/** @throws CitadelError DataLoss: damaged, not signed by the key, or of another log */
export function openCheckpoint(note: string, key: NoteKey): Checkpoint {
  const checkpoint = parse(openNote(note, key));
  if (checkpoint.origin !== key.name) throw unreadable();
  return checkpoint;
}

/** What a note claims, for messages alone: nobody has verified it. */
export function claimedOrigin(note: string): string {
  return note.slice(0, Math.min(note.indexOf('\n'), 512));
}

const sizeForm = '(0|[1-9]\\d{0,15})';
const rootForm = '([A-Za-z0-9+/]{43}=)';
const timeForm = '(\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z)';
const form = new RegExp(
  `^([^\\s+]+)\\n${sizeForm}\\n${rootForm}\\ntime ${timeForm}\\nrevoked ${sizeForm}\\n(?:abandoned ${sizeForm} ${rootForm}\\n)?$`,
  'u',
);

function textOf({ origin, size, root, at, revoked, abandoned }: Checkpoint): string {
  const lines = [origin, String(size), base64(root), `time ${at.toISOString()}`, `revoked ${revoked}`];
  if (abandoned) lines.push(`abandoned ${abandoned.size} ${base64(abandoned.root)}`);
  return lines.map((line) => `${line}\n`).join('');
}

function parse(text: string): Checkpoint {
  const [, origin = '', size, root = '', time = '', revoked, lostSize, lostRoot = ''] = form.exec(text) ?? [];
  const checkpoint = {
    origin,
    size: Number(size),
    root: Buffer.from(root, 'base64'),
    at: new Date(time),
    revoked: Number(revoked),
    ...(lostSize === undefined
      ? {}
      : { abandoned: { size: Number(lostSize), root: Buffer.from(lostRoot, 'base64') } }),
  };
  // Written once more it is the same: nothing was passed over, and nothing has a second form.
  const sound =
    size !== undefined && checkpoint.root.length === hashBytes && !Number.isNaN(checkpoint.at.getTime());
  if (!sound || textOf(checkpoint) !== text) throw unreadable();
  return checkpoint;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function unreadable(): CitadelError {
  return new CitadelError('DataLoss', 'a checkpoint cannot be believed: it is not of this audit record');
}
