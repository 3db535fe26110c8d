import { hash } from 'node:crypto';
import { CitadelError, isCitadelError } from '../../kernel/index.ts';
import type { CertificateSigner } from '../../pki/index.ts';
import { formatNoteKey, type NoteKey, openNote, signNote } from './note.ts';

/**
 * The note by which a server says that it has made a backup, by the key of its audit record. No checkpoint reads so: it would
 * begin with the name of a log.
 * @param manifest names the content of each file in the backup by its hash
 */
export function signBackup(
  manifest: Uint8Array,
  key: NoteKey,
  signer: Pick<CertificateSigner, 'sign'>,
): Promise<string> {
  return signNote(textOf(manifest), key, signer);
}

/** @throws CitadelError DataLoss where the key did not sign it */
export function requireMaker(manifest: Uint8Array, note: string, key: NoteKey): void {
  let text: string | undefined;
  try {
    text = openNote(note, key);
  } catch (error) {
    if (!isCitadelError(error, 'DataLoss')) throw error;
  }
  if (text !== textOf(manifest))
    throw new CitadelError(
      'DataLoss',
      `the backup was not made by the server whose audit record has the key ${formatNoteKey(key)}: whoever knows a recipient can make such a file`,
    );
}

function textOf(manifest: Uint8Array): string {
  return `citadel-backup\n${hash('sha256', manifest, 'hex')}\n`;
}
