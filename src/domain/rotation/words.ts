import { CitadelError } from '../../kernel/index.ts';
import type { AuthorityRecord, RootRotation, RotationPhase, RotationWord } from '../ports/index.ts';
import { signersOf } from './effects.ts';
import { keysLeft } from './old-keys.ts';

/** What an operator says beside "go on". */
export interface SpokenWords {
  /** Ends the phase against the evidence. */
  readonly force: boolean;
  /** The key that would be destroyed is left in its home, which is lost for good. */
  readonly leaveKey?: boolean;
  /** The key of the old root is destroyed although it was not made here. */
  readonly destroyImportedKey?: boolean;
}

type Spoken = Pick<RotationWord, 'kind' | 'target'>;

/** The audit record's name of each word. */
export const wordActions: Readonly<Record<RotationWord['kind'], string>> = {
  excuse: 'rotation.excuse',
  force: 'rotation.force',
  leaveKey: 'rotation.leave-key',
  destroyKey: 'rotation.destroy-key',
};

/**
 * What an order to go on says for the record. Pure.
 * @throws CitadelError FailedPrecondition where the phase has no use for it
 */
export function spokenWords(
  order: SpokenWords,
  rotation: RootRotation,
  authorities: readonly AuthorityRecord[],
): readonly Spoken[] {
  const { phase, oldRoot } = rotation;
  const words: Spoken[] = [];
  if (order.force) {
    if (phase === 'prepare' || phase === 'undo') throw useless('can be forced', phase);
    words.push({ kind: 'force', target: phase });
  }
  if (order.leaveKey === true) {
    if (order.destroyImportedKey === true)
      throw new CitadelError('InvalidArgument', 'a key is left or destroyed, not both');
    if (phase !== 'retire' && phase !== 'undo')
      throw useless('is destroyed, and so nothing left behind,', phase);
    words.push({ kind: 'leaveKey', target: phase });
  }
  if (order.destroyImportedKey === true) {
    const imported = keysLeft({ words: [] }, signersOf(authorities, oldRoot));
    if (imported.length === 0)
      throw new CitadelError(
        'FailedPrecondition',
        'the old root has no key here that was not made here: its key is destroyed at the end as it is',
      );
    for (const { keyId } of imported) words.push({ kind: 'destroyKey', target: keyId });
  }
  return words;
}

function useless(what: string, phase: RotationPhase): CitadelError {
  return new CitadelError('FailedPrecondition', `nothing ${what} in phase ${phase}`);
}
