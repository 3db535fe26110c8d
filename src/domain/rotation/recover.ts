import { CitadelError, type Entropy, type Log } from '../../kernel/index.ts';
import type { KeyAlgorithm } from '../../pki/index.ts';
import type { AuditLog, AuthorityRecord, RootRotation, Store } from '../ports/index.ts';
import { applyEffect, type EffectPorts, makeNewRoot } from './effects.ts';
import type { RotationOrder } from './order.ts';
import { enterPhase, noteRotation } from './record.ts';

export interface RecoverOptions extends Omit<EffectPorts, 'store'> {
  readonly store: Pick<Store, 'rotations' | 'authorities'>;
  readonly audit: AuditLog;
  /** Of the new root; lifetime in milliseconds. */
  readonly defaults: { readonly algorithm: KeyAlgorithm; readonly lifetime: number };
  readonly entropy: Entropy;
  readonly log: Log;
}

/** The phases that a recovery puts on record: of the rotation that it ends, and of the one that replaces the root. */
export const recoveryPhases = ['aborted', 'done', 'prepare', 'retire'] as const;
type RecoveryPhase = (typeof recoveryPhases)[number];

/**
 * The root that nothing can be verified by any more: the active one, or the one before it where a recovery was cut off.
 * @throws CitadelError FailedPrecondition where there is none: a root that is valid is rotated, by evidence
 */
export async function findEndedRoot({ store, clock }: Pick<RecoverOptions, 'store' | 'clock'>) {
  const now = clock.now();
  const roots = (await store.authorities.list()).filter(({ kind }) => kind === 'root');
  const root = roots.find(({ state }) => state === 'active');
  if (!root)
    throw new CitadelError('FailedPrecondition', 'there is no root yet: the server makes it when it starts');
  if (root.notAfter <= now) return root;
  const rotation = await store.rotations.current();
  const left =
    rotation?.newRoot === root.fingerprint &&
    roots.find(
      ({ fingerprint, state, notAfter }) =>
        fingerprint === rotation.oldRoot && state === 'old' && notAfter <= now,
    );
  if (!left)
    throw new CitadelError(
      'FailedPrecondition',
      `the root is valid until ${root.notAfter.toISOString()}: rotate it (citadel rotate plan)`,
    );
  return left;
}

/**
 * Replaces a root that has ended, with the server stopped: a rotation whose waiting phases have nobody left to wait for,
 * by force and on the record. One that was under way gives its new root. Whoever is cut off does it again; the server goes
 * on from the phase `retire`.
 * @returns the new root
 */
export async function replaceEndedRoot(
  order: RotationOrder,
  options: RecoverOptions,
): Promise<AuthorityRecord> {
  const { store, entropy } = options;
  const ended = await findEndedRoot(options);
  const effects = { ...options, store: store.authorities };

  const enter = async (rotation: RootRotation, phase: RecoveryPhase): Promise<RootRotation> => {
    const action = phase === 'prepare' ? 'rotation.start' : `rotation.${phase}`;
    await noteRotation(options, action, order, { ...rotation, phase }, { recovery: 'the root has ended' });
    return enterPhase(options, rotation, phase);
  };

  let rotation = await store.rotations.current();
  if (rotation && !(await isOfUse(rotation, ended, options))) {
    // It came to the root that has ended, or to one that has ended with it: its other one goes now, with its key.
    const arrived = rotation.newRoot === ended.fingerprint;
    if (arrived) await applyEffect('retireOldRoot', rotation, effects);
    await applyEffect(arrived ? 'destroyOldKey' : 'discardNewRoot', rotation, effects);
    await enter(rotation, arrived ? 'done' : 'aborted');
    rotation = undefined;
  }
  rotation ??= await enter(newRotation(ended, order, options, entropy), 'prepare');
  const root = await makeNewRoot(rotation, effects);
  rotation = { ...rotation, newRoot: root.fingerprint };
  await store.rotations.save(rotation);
  await applyEffect('activateNewRoot', rotation, effects);
  await applyEffect('retireOldRoot', rotation, effects);
  await enter(rotation, 'retire');
  return root;
}

/** Whether it leads away from the root that has ended, to one that has not. */
async function isOfUse(
  { oldRoot, newRoot, phase }: RootRotation,
  ended: AuthorityRecord,
  { store, clock }: RecoverOptions,
): Promise<boolean> {
  if (oldRoot !== ended.fingerprint || phase === 'undo') return false;
  const made = (await store.authorities.list()).find(({ fingerprint }) => fingerprint === newRoot);
  return made === undefined || (made.notAfter > clock.now() && !made.tainted);
}

function newRotation(
  { fingerprint }: AuthorityRecord,
  { by, reason }: RotationOrder,
  { defaults, clock }: RecoverOptions,
  entropy: Entropy,
): RootRotation {
  const now = clock.now();
  return {
    id: Buffer.from(entropy.bytes(8)).toString('hex'),
    phase: 'prepare',
    phaseSince: now,
    oldRoot: fingerprint,
    newRoot: undefined,
    algorithm: defaults.algorithm,
    lifetime: defaults.lifetime,
    crossSign: false,
    startedAt: now,
    startedBy: by,
    reason,
    words: [{ kind: 'force', target: 'distribute', by, reason, at: now }],
    canary: undefined,
  };
}
