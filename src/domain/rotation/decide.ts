import type { AuthorityRecord, RootRotation, RotationPhase } from '../ports/index.ts';
import { type Gate, gateOf, type RotationEvidence } from './gate.ts';

/** What is done next. Each is safe to repeat: whoever is cut off in the midst decides anew and does it again. */
export type RotationAction =
  | { readonly kind: 'makeRoot' }
  /** The phase is over: its effect is to be done, then the next one begins. */
  | { readonly kind: 'advance'; readonly to: RotationPhase; readonly effect: RotationEffect }
  | { readonly kind: 'wait'; readonly gate: Gate };

/** What ending a phase changes. */
export type RotationEffect =
  | 'none'
  /** The new root signs issuing authorities from now on. */
  | 'activateNewRoot'
  /** The old root leaves the bundle. */
  | 'retireOldRoot'
  | 'destroyOldKey'
  /** The old root signs again. */
  | 'activateOldRoot'
  /** The new root leaves the bundle, and its key goes. */
  | 'discardNewRoot';

/**
 * What a rotation does next: pure, over what is stored and what is seen. `distribute` and `drain` end only by an operator's
 * word (`asked`), and then only where evidence permits it; the others end by themselves.
 */
export function decideRotation(
  rotation: RootRotation,
  authorities: readonly AuthorityRecord[],
  evidence: RotationEvidence,
  asked: boolean,
): RotationAction {
  const { phase, newRoot, words } = rotation;
  const root = authorities.find(({ kind, fingerprint }) => kind === 'root' && fingerprint === newRoot);
  switch (phase) {
    case 'prepare':
      return root ? { kind: 'advance', to: 'distribute', effect: 'none' } : { kind: 'makeRoot' };
    case 'distribute':
    case 'drain': {
      const gate = gateOf(rotation, phase, evidence);
      const forced = words.some(({ kind, target }) => kind === 'force' && target === phase);
      if (!asked || !(gate.open || forced)) return { kind: 'wait', gate };
      return phase === 'distribute'
        ? { kind: 'advance', to: 'drain', effect: 'activateNewRoot' }
        : { kind: 'advance', to: 'retire', effect: 'retireOldRoot' };
    }
    case 'retire': {
      const gate = gateOf(rotation, phase, evidence);
      const forced = words.some(({ kind, target }) => kind === 'force' && target === phase);
      return gate.open || forced
        ? { kind: 'advance', to: 'done', effect: 'destroyOldKey' }
        : { kind: 'wait', gate };
    }
    case 'undo': {
      const gate = gateOf(rotation, phase, evidence);
      return gate.open
        ? { kind: 'advance', to: 'aborted', effect: 'discardNewRoot' }
        : { kind: 'wait', gate };
    }
    case 'done':
    case 'aborted':
      return { kind: 'advance', to: phase, effect: 'none' };
  }
}
