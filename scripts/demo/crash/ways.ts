/** What a server does before and after it is killed, and what is to be found at the end of it. */
export interface Way {
  readonly name: WayName;
  /** Roots that are gone at the end, beside the active one. */
  readonly retired: number;
  /** Of the bundle at the end. It begins with 1, an empty one, and grows with each that is given. */
  readonly sequence: bigint;
  /** Which root the old one is to have certified, once. */
  readonly crossSigned?: 'active' | 'retired';
  /** Whether it needs a state that another run makes before. */
  readonly prepared: boolean;
}

export type WayName =
  /** A rotation with a canary, to its end. */
  | 'done'
  | 'aborted'
  /** A certificate is revoked, its issuing authority tainted and revoked, and the root after it, amid a rotation. */
  | 'revoked'
  /** A rehearsal, after one that was cut off and has left its keys. */
  | 'rehearsed'
  /** The root has ended, and is replaced with the server stopped; where a rotation was under way: its phase. */
  | 'recovered'
  | 'recovered-distribute'
  | 'recovered-drain'
  /** As from `distribute`, to a root that has not ended. */
  | 'recovered-onward';

export const ways: readonly Way[] = [
  // The old root, both for a few, both, the new one.
  { name: 'done', retired: 1, sequence: 5n, crossSigned: 'active', prepared: false },
  { name: 'aborted', retired: 1, sequence: 4n, crossSigned: 'retired', prepared: false },
  { name: 'revoked', retired: 1, sequence: 4n, prepared: false },
  { name: 'rehearsed', retired: 0, sequence: 2n, prepared: true },
  { name: 'recovered', retired: 1, sequence: 3n, prepared: true },
  { name: 'recovered-distribute', retired: 2, sequence: 4n, prepared: true },
  { name: 'recovered-drain', retired: 2, sequence: 4n, prepared: true },
  { name: 'recovered-onward', retired: 1, sequence: 4n, prepared: true },
];
