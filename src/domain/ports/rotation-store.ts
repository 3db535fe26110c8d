import type { KeyAlgorithm } from '../../pki/index.ts';

/** Where a root rotation is. `retire`: the old root has left the bundle, and its key is still there. */
export type RotationPhase = 'prepare' | 'distribute' | 'drain' | 'retire' | 'undo' | 'done' | 'aborted';

/** An operator's word for what evidence does not show. */
export interface RotationWord {
  /**
   * `excuse`: one proxy is left out of account; `force`: a phase was ended against the evidence; `leaveKey`: the key that
   * would be destroyed is left in its home, which is lost for good; `destroyKey`: also a key that was not made here goes.
   */
  readonly kind: 'excuse' | 'force' | 'leaveKey' | 'destroyKey';
  /** A proxy's key, the phase, or the id of a root's key. */
  readonly target: string;
  readonly by: string;
  readonly reason: string;
  readonly at: Date;
}

/** One rotation of the trust root, as far as it has come. */
export interface RootRotation {
  /** Lower-case hexadecimal; names the new root's key too. */
  readonly id: string;
  readonly phase: RotationPhase;
  /** When `phase` began. */
  readonly phaseSince: Date;
  /** Fingerprint of the root that is to go. */
  readonly oldRoot: string;
  /** Fingerprint of the root that is to come; undefined until it is made. */
  readonly newRoot: string | undefined;
  readonly algorithm: KeyAlgorithm;
  /** Of the new root, milliseconds. */
  readonly lifetime: number;
  readonly startedAt: Date;
  readonly startedBy: string;
  readonly reason: string;
  readonly words: readonly RotationWord[];
}

export interface RotationStore {
  /** The one that is under way; at most one is. */
  current(): Promise<RootRotation | undefined>;
  /**
   * Writes a new rotation, or replaces the one of the same id.
   * @throws CitadelError AlreadyExists when another one is under way
   */
  save(rotation: RootRotation): Promise<void>;
  /** Newest first. */
  list(limit: number): Promise<readonly RootRotation[]>;
}
