import type { Clock, Log } from '../../kernel/index.ts';
import type { AuditLog, RootRotation, RotationPhase, Store } from '../ports/index.ts';
import type { RotationOrder } from './order.ts';

export interface RecordPorts {
  readonly store: Pick<Store, 'rotations'>;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly log: Log;
}

/** Puts on record what is done with a rotation, by whom and why. */
export async function noteRotation(
  { audit, clock, log }: RecordPorts,
  action: string,
  { by, proof, reason }: RotationOrder,
  { id, phase, oldRoot, newRoot }: RootRotation,
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  log.info(action, { rotation: id, phase, by, reason });
  await audit.append({
    at: clock.now(),
    action,
    outcome: 'allowed',
    subject: by,
    proof,
    target: `rotation-${id}`,
    reason,
    details: { phase, oldRoot, newRoot: newRoot ?? '', ...more },
  });
}

export async function enterPhase(
  { store, clock }: RecordPorts,
  rotation: RootRotation,
  phase: RotationPhase,
): Promise<RootRotation> {
  const entered = { ...rotation, phase, phaseSince: clock.now() };
  await store.rotations.save(entered);
  return entered;
}
