import { CitadelError } from '../../kernel/index.ts';
import { type Checkpoint, openCheckpoint } from './checkpoint.ts';
import { type DecodedEntry, decodeEntry } from './entry.ts';
import type { NoteKey } from './note.ts';
import { hashBytes, leafHash, rootByInclusion } from './tree.ts';

/** That an entry is in the record, for somebody who has nothing but the log's key. */
export interface EntryProof {
  /** As it was hashed. */
  readonly entry: Uint8Array;
  readonly sequence: number;
  /** From the leaf's sibling up. */
  readonly path: readonly Uint8Array[];
  /** A signed note. */
  readonly checkpoint: string;
}

const header = 'c2sp.org/tlog-proof@v1';
const longestProof = 1024 * 1024;

/** C2SP's tlog-proof, with the entry itself as its extra data. */
export function formatProof({ entry, sequence, path, checkpoint }: EntryProof): string {
  const lines = [header, `extra ${base64(entry)}`, `index ${sequence - 1}`, ...path.map(base64), ''];
  return `${lines.join('\n')}\n${checkpoint}`;
}

/** @throws CitadelError InvalidArgument */
export function parseProof(text: string): EntryProof {
  const end = text.indexOf('\n\n');
  const [first, extra, index, ...path] = text.slice(0, Math.max(0, end)).split('\n');
  const entry = /^extra ([A-Za-z0-9+/]+={0,2})$/.exec(extra ?? '')?.[1];
  const leaf = /^index (0|[1-9]\d{0,15})$/.exec(index ?? '')?.[1];
  const hashes = path.map((line) => Buffer.from(line, 'base64'));
  const sound =
    text.length <= longestProof &&
    first === header &&
    hashes.every((hash, at) => hash.length === hashBytes && base64(hash) === path[at]);
  if (!sound || entry === undefined || leaf === undefined)
    throw new CitadelError('InvalidArgument', 'this is no proof as citadel log prove prints it');
  return {
    entry: Buffer.from(entry, 'base64'),
    sequence: Number(leaf) + 1,
    path: hashes,
    checkpoint: text.slice(end + 2),
  };
}

/** @throws CitadelError DataLoss where it proves nothing */
export function verifyProof(
  proof: EntryProof,
  key: NoteKey,
): { readonly entry: DecodedEntry; readonly checkpoint: Checkpoint } {
  const checkpoint = openCheckpoint(proof.checkpoint, key);
  const root = rootByInclusion(proof.sequence - 1, checkpoint.size, leafHash(proof.entry), proof.path);
  const entry = decodeEntry(proof.entry);
  if (!root || Buffer.compare(root, checkpoint.root) !== 0 || entry.sequence !== proof.sequence)
    throw new CitadelError('DataLoss', 'the proof is wrong: the checkpoint does not swear to this entry');
  return { entry, checkpoint };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
