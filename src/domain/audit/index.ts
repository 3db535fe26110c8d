export { type Checkpoint, openCheckpoint } from './checkpoint.ts';
export { type CheckpointService, createCheckpointService, type PlaceState } from './checkpoints.ts';
export { decodeEntry, encodeEntry, entryTexts, moveEntry, textsOf } from './entry.ts';
export { formatNoteKey, type NoteKey, noteKeyOf, parseNoteKey } from './note.ts';
export { Frontier, frontierAt, hashBytes, inclusionPath, leafHash, rootByInclusion } from './tree.ts';
