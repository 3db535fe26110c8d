import type { KeyAlgorithm } from '../../pki/index.ts';

/**
 * Where a root rotation is. `canary`: a few proxies alone are given the bundle with the new root. `retire`: the old root has
 * left the bundle, and its key is still there.
 */
export type RotationPhase =
  | 'prepare'
  | 'canary'
  | 'distribute'
  | 'drain'
  | 'retire'
  | 'undo'
  | 'done'
  | 'aborted';

/** Who has made a new root that is not made here: as `authority` in the configuration names it. */
export type GivenRootSource = 'existing' | 'upstream';

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

/** One of the proxies that a canary is watched at. */
export interface WatchedProxy {
  readonly proxyKey: string;
  /** Chosen when the rotation began: its watch is waited for. Who came later is watched, too, and holds up nothing. */
  readonly fromStart: boolean;
  /** Since when it has been seen to use the bundle with the new root without a break. */
  readonly since: Date | undefined;
  /** Failed handshakes that its Envoy had counted before; undefined until it has told of any. */
  readonly failedBefore: number | undefined;
  /** Why the canary is stopped because of it. It stays, whatever the proxy says afterwards. */
  readonly halt:
    | {
        readonly at: Date;
        readonly reason: string;
        /** That it refused the bundle: it is given the one of all others again, with which it takes new CRLs. */
        readonly refused?: boolean;
      }
    | undefined;
}

/** The first step of a rotation: who is given the new root before all others, and what has been seen of them. */
export interface RotationCanary {
  /** As the operator wrote them; who is meant by one of them is chosen. */
  readonly selectors: readonly string[];
  /** Of a share: who ranks up to here, from 0 to 1, is chosen; undefined where none was asked for. */
  readonly upTo: number | undefined;
  /** Milliseconds for which each is watched. */
  readonly watch: number;
  /** Failed handshakes above those of before that one proxy may have. */
  readonly allowedFailures: number;
  /** Whether the end of the watch widens the bundle to all without an order. */
  readonly auto: boolean;
  readonly watched: readonly WatchedProxy[];
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
  /** The new root, where others have made it; absent: it is made here. */
  readonly given?: { readonly from: GivenRootSource; readonly fingerprint: string };
  readonly algorithm: KeyAlgorithm;
  /** Of the new root, milliseconds. */
  readonly lifetime: number;
  /** Whether the old root certifies the new one. */
  readonly crossSign: boolean;
  readonly startedAt: Date;
  readonly startedBy: string;
  readonly reason: string;
  readonly words: readonly RotationWord[];
  /** Undefined: the new root is given to all at once. */
  readonly canary: RotationCanary | undefined;
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
