import type { AuthorityRecord, RootRotation, RotationPhase } from '../ports/index.ts';
import { type Gate, gateOf, type RotationEvidence } from './gate.ts';

/** What is done next. Each is safe to repeat: whoever is cut off in the midst decides anew and does it again. */
export type RotationAction =
  | { readonly kind: 'makeRoot' }
  /** The old root signs again, before anything of the new one is taken away. */
  | { readonly kind: 'goBack' }
  /** The phase is over: its effect is to be done, then the next one begins. */
  | { readonly kind: 'advance'; readonly to: RotationPhase; readonly effect: RotationEffect }
  | { readonly kind: 'wait'; readonly gate: Gate };

/** What an operator's order says of the present phase. A force that was cut off is not there for the next order. */
export type Asked = 'no' | 'byEvidence' | 'byForce';

/** What ending a phase changes. */
export const rotationEffects = [
  'none',
  /** The new root enters everybody's bundle. */
  'widen',
  /** The new root signs issuing authorities from now on. */
  'activateNewRoot',
  /** The old root leaves the bundle. */
  'retireOldRoot',
  'destroyOldKey',
  /** The new root leaves the bundle, and its key goes. */
  'discardNewRoot',
] as const;
export type RotationEffect = (typeof rotationEffects)[number];

/**
 * What a rotation does next: pure, over what is stored and what is seen. `canary`, `distribute` and `drain` end only by an
 * operator's order, and then only where evidence permits it or the order is by force; the others end by themselves, and so
 * does a canary of which the operator said so at the start.
 */
export function decideRotation(
  rotation: RootRotation,
  authorities: readonly AuthorityRecord[],
  evidence: RotationEvidence,
  asked: Asked,
): RotationAction {
  const { phase, oldRoot, newRoot, words, canary } = rotation;
  const rootOf = (wanted: string | undefined) =>
    authorities.find(({ kind, fingerprint }) => kind === 'root' && fingerprint === wanted);
  switch (phase) {
    case 'prepare':
      return rootOf(newRoot)
        ? { kind: 'advance', to: canary ? 'canary' : 'distribute', effect: 'none' }
        : { kind: 'makeRoot' };
    case 'canary': {
      const gate = gateOf(rotation, phase, evidence);
      // Whoever was cut off between the two has given it to all already.
      const root = rootOf(newRoot);
      const isWidened = root !== undefined && root.state !== 'staged';
      const ends =
        isWidened || isForced(asked, gate) || (gate.open && (asked === 'byEvidence' || canary?.auto));
      return ends ? { kind: 'advance', to: 'distribute', effect: 'widen' } : { kind: 'wait', gate };
    }
    case 'distribute':
    case 'drain': {
      if (tookEffect(rotation, authorities)) return ended(phase);
      const gate = gateOf(rotation, phase, evidence);
      if (asked === 'no' || !(gate.open || isForced(asked, gate))) return { kind: 'wait', gate };
      return ended(phase);
    }
    case 'retire': {
      const gate = gateOf(rotation, phase, evidence);
      const forced = words.some(({ kind, target }) => kind === 'force' && target === phase);
      return gate.open || forced
        ? { kind: 'advance', to: 'done', effect: 'destroyOldKey' }
        : { kind: 'wait', gate };
    }
    case 'undo': {
      if (rootOf(oldRoot)?.state !== 'active') return { kind: 'goBack' };
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

/** A force goes over proxies, not over a root that somebody else may have the key of. */
function isForced(asked: Asked, { taintedRoot }: Gate): boolean {
  return asked === 'byForce' && taintedRoot === undefined;
}

function ended(phase: 'distribute' | 'drain'): RotationAction {
  return phase === 'distribute'
    ? { kind: 'advance', to: 'drain', effect: 'activateNewRoot' }
    : { kind: 'advance', to: 'retire', effect: 'retireOldRoot' };
}

/**
 * Whether an order to end `distribute` or `drain` has been carried out, though the phase does not say so: its server was
 * cut off between the two. Who is ready now, after that server's fall, decides nothing any more.
 */
export function tookEffect(
  { phase, oldRoot, newRoot }: RootRotation,
  authorities: readonly AuthorityRecord[],
): boolean {
  const stateOf = (root: string | undefined) =>
    authorities.find(({ kind, fingerprint }) => kind === 'root' && fingerprint === root)?.state;
  return (
    (phase === 'distribute' && stateOf(newRoot) === 'active') ||
    (phase === 'drain' && stateOf(oldRoot) === 'retired')
  );
}
