import { CitadelError, describeError, isCitadelError } from '../../kernel/index.ts';
import type { AuthorityRecord, KeyManager, RootRotation, RotationWord } from '../ports/index.ts';

/** A key that stays in its home though its root is gone. */
export interface LeftKey {
  readonly backend: string;
  readonly keyId: string;
  readonly why: string;
}

/** As `citadel` names the keys that it makes for roots. */
const madeHere = /^root-[0-9a-f]{16}$/;

/** Whether a root is ours, and not one that others have made. */
export function isMadeHere({ keyId }: Pick<AuthorityRecord, 'keyId'>): boolean {
  return madeHere.test(keyId);
}

type KeyPlace = Pick<AuthorityRecord, 'keyBackend' | 'keyId'>;

/**
 * Why the key of a root that has gone stays; undefined: it is destroyed. What others have made, and may use for more than
 * this, is destroyed by an operator's word alone. Pure.
 */
function reasonToLeave(place: KeyPlace, words: readonly RotationWord[]): string | undefined {
  const left = words.findLast(({ kind }) => kind === 'leaveKey');
  if (left) return `left behind by the word of ${left.by}: ${left.reason}`;
  const asked = words.some(({ kind, target }) => kind === 'destroyKey' && target === place.keyId);
  return isMadeHere(place) || asked ? undefined : 'it was not made here';
}

/** The keys that a rotation leaves, or has left. Pure. @param records of the roots that go, and of what is between */
export function keysLeft(
  { words }: Pick<RootRotation, 'words'>,
  records: readonly KeyPlace[],
): readonly LeftKey[] {
  return records.flatMap((record) => {
    const why = record.keyId === '' || isElsewhere(record) ? undefined : reasonToLeave(record, words);
    return why === undefined ? [] : [{ backend: record.keyBackend, keyId: record.keyId, why }];
  });
}

/** Destroys the keys that do not stay. Safe to repeat. @throws CitadelError saying which, and the way out */
export async function destroyKeys(
  records: readonly KeyPlace[],
  words: readonly RotationWord[],
  { keysOf }: { readonly keysOf: (backend: string) => Promise<KeyManager | undefined> },
): Promise<void> {
  for (const record of records) {
    const { keyBackend, keyId } = record;
    // The key of a root that others have made is elsewhere.
    if (keyId === '' || isElsewhere(record) || reasonToLeave(record, words) !== undefined) continue;
    try {
      const keys = await keysOf(keyBackend);
      if (!keys)
        throw new CitadelError(
          'FailedPrecondition',
          'the configuration does not name it; name it in formerKeys',
        );
      await keys.destroy(keyId);
    } catch (error) {
      if (!isCitadelError(error)) throw error;
      throw new CitadelError(
        error.code,
        `the key ${keyId} in the ${keyBackend} key home cannot be destroyed yet: ${error.message}; if that home is lost for good: citadel rotate continue --leave-key`,
        { cause: error, details: error.details ?? describeError(error) },
      );
    }
  }
}

function isElsewhere({ keyBackend }: KeyPlace): boolean {
  return keyBackend === 'upstream' || keyBackend === 'none';
}
