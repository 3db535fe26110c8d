import { type Clock, describeError, isCitadelError, type Log } from '../../kernel/index.ts';
import type { AuthorityRecord, RootRotation, RotationPhase, Store } from '../ports/index.ts';
import type { CanaryOrder } from './canary.ts';
import { isMadeHere } from './old-keys.ts';
import { createPace } from './pace.ts';
import type { RotationService } from './service.ts';

/** What is done without an operator; by default nothing. */
export interface RootSchedule {
  /** Share of the active root's life after which a rotation begins by itself; undefined: never. */
  readonly at: number | undefined;
  /** Whether phases end by themselves where evidence permits it. There is no force by schedule. */
  readonly continue: boolean;
  /** Whom the new root is given to first; absent: all at once. */
  readonly canary?: CanaryOrder;
}

export type ScheduledOrder =
  | { readonly kind: 'start'; readonly oldRoot: string }
  | { readonly kind: 'continue'; readonly phase: RotationPhase };

export interface ScheduleState {
  readonly root: AuthorityRecord | undefined;
  readonly current: RootRotation | undefined;
  /** The newest one that is over. */
  readonly last: RootRotation | undefined;
}

/** Phases that end without an order, or are over. */
const byThemselves: readonly RotationPhase[] = ['prepare', 'retire', 'undo', 'done', 'aborted'];

/** What the schedule asks for now; undefined: nothing. Pure. */
export function decideSchedule(
  { root, current, last }: ScheduleState,
  schedule: RootSchedule,
  now: Date,
): ScheduledOrder | undefined {
  if (current) {
    const { phase } = current;
    return schedule.continue && !byThemselves.includes(phase) ? { kind: 'continue', phase } : undefined;
  }
  // The next one is made here: whose PKI is left by that is asked before.
  if (schedule.at === undefined || !root || root.keyBackend === 'upstream' || !isMadeHere(root))
    return undefined;
  // Who went back from one wants to be asked before the next.
  if (last?.phase === 'aborted' && last.oldRoot === root.fingerprint) return undefined;
  return partLived(root, now) >= schedule.at ? { kind: 'start', oldRoot: root.fingerprint } : undefined;
}

/** Share of its life that an authority has behind it: 0 at its beginning, 1 at its end. */
export function partLived({ notBefore, notAfter }: AuthorityRecord, now: Date): number {
  return (now.getTime() - notBefore.getTime()) / (notAfter.getTime() - notBefore.getTime());
}

export interface ScheduleOptions {
  readonly schedule: RootSchedule;
  readonly rotation: RotationService;
  readonly store: Pick<Store, 'rotations' | 'authorities'>;
  readonly clock: Clock;
  readonly log: Log;
}

const author = { by: 'schedule', proof: 'none' };

/** The same rotations, which also begin and go on by schedule: as an operator's orders would, on record, by evidence alone. */
export function onSchedule({ schedule, rotation, store, clock, log }: ScheduleOptions): RotationService {
  const pace = createPace(clock);

  async function orderDue(): Promise<void> {
    const [current, [last], authorities] = await Promise.all([
      store.rotations.current(),
      store.rotations.list(1),
      store.authorities.list(),
    ]);
    const root = authorities.find(({ kind, state }) => kind === 'root' && state === 'active');
    const order = decideSchedule({ root, current, last }, schedule, clock.now());
    if (order?.kind === 'start')
      await rotation.start({
        ...author,
        reason: `the root has lived ${schedule.at} of its life`,
        oldRoot: order.oldRoot,
        ...(schedule.canary ? { canary: schedule.canary } : {}),
      });
    if (order?.kind === 'continue') await pace.look(() => goOn(order.phase));
  }

  async function goOn(phase: RotationPhase): Promise<void> {
    const order = { ...author, reason: 'the evidence permits it', phase, force: false };
    await rotation.continue(order).catch((error: unknown) => {
      // What is missing is on the board, and an operator who was faster has gone on.
      if (!isCitadelError(error, 'FailedPrecondition') && !isCitadelError(error, 'Aborted')) throw error;
      log.debug('the phase cannot end yet', { phase, cause: describeError(error) });
    });
  }

  const isSet = schedule.at !== undefined || schedule.continue;
  return {
    ...rotation,
    async tick() {
      await rotation.tick();
      if (isSet) await orderDue();
    },
  };
}
