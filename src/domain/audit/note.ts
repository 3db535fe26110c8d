import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto';
import { CitadelError } from '../../kernel/index.ts';
import type { CertificateSigner } from '../../pki/index.ts';

/** Signed notes with Ed25519 keys, as C2SP's signed-note describes them. */

/** What a note is verified by: pin it where the server cannot change it. */
export interface NoteKey {
  /** Stands in the signature's line; of a log it is its origin. */
  readonly name: string;
  /** 32 octets. */
  readonly publicKey: Uint8Array;
}

const ed25519 = 1;
const keyBytes = 32;
const signatureBytes = 64;
const idBytes = 4;
/** RFC 8410, section 4: what stands before the 32 octets of the key. */
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');
const dash = '\u2014 ';
const nameForm = /^[^\s+]{1,512}$/u;
const signatureLine = /^\u2014 ([^\s+]{1,512}) ([A-Za-z0-9+/]{8,8192}={0,2})$/u;
/** More than any checkpoint with a dozen of witnesses. */
const longestNote = 16_384;

/** @throws CitadelError FailedPrecondition for a key of another algorithm */
export function noteKeyOf(name: string, key: Pick<CertificateSigner, 'algorithm' | 'publicKey'>): NoteKey {
  if (key.algorithm !== 'ed25519' || !nameForm.test(name))
    throw new CitadelError('FailedPrecondition', 'checkpoints are signed by an Ed25519 key');
  return { name, publicKey: key.publicKey.subarray(-keyBytes) };
}

/** The form in which a key is pinned, also by other tools: NAME+ID+KEY. */
export function formatNoteKey(key: NoteKey): string {
  return `${key.name}+${keyId(key).toString('hex')}+${typedKey(key).toString('base64')}`;
}

/** @throws CitadelError InvalidArgument */
export function parseNoteKey(text: string): NoteKey {
  const [, name = '', id, encoded = ''] =
    /^([^\s+]{1,512})\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/u.exec(text) ?? [];
  const typed = Buffer.from(encoded, 'base64');
  const key = { name, publicKey: typed.subarray(1) };
  if (
    typed.length !== 1 + keyBytes ||
    typed[0] !== ed25519 ||
    formatNoteKey(key) !== text ||
    id === undefined
  )
    throw new CitadelError(
      'InvalidArgument',
      'this is no key of an audit record: NAME+ID+KEY, as log show prints it',
    );
  return key;
}

/** @param text ends with a newline and holds no empty line */
export async function signNote(
  text: string,
  key: NoteKey,
  signer: Pick<CertificateSigner, 'sign'>,
): Promise<string> {
  const signature = await signer.sign(Buffer.from(text));
  const encoded = Buffer.concat([keyId(key), signature]).toString('base64');
  return `${text}\n${dash}${key.name} ${encoded}\n`;
}

/**
 * The text of a note that the key signed. Signatures of others, of witnesses for example, are passed over.
 * @throws CitadelError DataLoss: damaged, or not signed by the key
 */
export function openNote(note: string, key: NoteKey): string {
  const end = note.lastIndexOf(`\n\n${dash}`);
  if (note.length > longestNote || end < 0 || !note.endsWith('\n')) throw damaged('it is no signed note');
  const text = note.slice(0, end + 1);
  const id = keyId(key);
  let signed = false;
  for (const line of note.slice(end + 2, -1).split('\n')) {
    const [, name, encoded = ''] = signatureLine.exec(line) ?? [];
    const bytes = Buffer.from(encoded, 'base64');
    if (name === undefined || bytes.length <= idBytes || bytes.toString('base64') !== encoded)
      throw damaged('a signature cannot be read');
    if (name !== key.name || !bytes.subarray(0, idBytes).equals(id)) continue;
    const signature = bytes.subarray(idBytes);
    if (signature.length !== signatureBytes || !verify(null, Buffer.from(text), verifierOf(key), signature))
      throw damaged('its signature is wrong');
    signed = true;
  }
  if (!signed) throw damaged(`it is not signed by the key ${formatNoteKey(key)}`);
  return text;
}

function damaged(why: string): CitadelError {
  return new CitadelError('DataLoss', `a checkpoint cannot be believed: ${why}`);
}

function typedKey({ publicKey }: NoteKey): Buffer {
  return Buffer.concat([Buffer.from([ed25519]), publicKey]);
}

function keyId(key: NoteKey): Buffer {
  const bytes = Buffer.concat([Buffer.from(`${key.name}\n`), typedKey(key)]);
  return hash('sha256', bytes, 'buffer').subarray(0, idBytes);
}

function verifierOf({ publicKey }: NoteKey): KeyObject {
  return createPublicKey({ key: Buffer.concat([spkiPrefix, publicKey]), format: 'der', type: 'spki' });
}
