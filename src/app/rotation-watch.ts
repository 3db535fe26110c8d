import type { Metrics } from '../domain/ports/index.ts';
import { boardOf, type RotationService } from '../domain/rotation/index.ts';
import { type Clock, describeError, type Log } from '../kernel/index.ts';

export interface RotationWatchOptions {
  readonly rotation: Pick<RotationService, 'current' | 'status'>;
  readonly metrics: Pick<Metrics, 'rotation'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Milliseconds between two looks, which read every valid certificate while a rotation is under way. */
const interval = 10_000;
const countsAlone = { filter: '', standing: undefined, limit: 0 };

/** Tells the metrics how far a rotation is, from now until the signal. */
export async function watchRotation(options: RotationWatchOptions): Promise<void> {
  const { clock, log, signal } = options;
  while (!signal.aborted) {
    await tell(options).catch((error: unknown) => {
      log.warn('how far the rotation is could not be counted', { cause: describeError(error) });
    });
    await clock.sleep(interval, signal).catch(() => {});
  }
}

async function tell({ rotation, metrics }: RotationWatchOptions): Promise<void> {
  if (!(await rotation.current())) return metrics.rotation(undefined);
  const status = await rotation.status();
  const { rotation: present, gate, obstacle } = status;
  if (!present) return metrics.rotation(undefined);
  const { counts, stragglers, unproven } = boardOf(status, countsAlone);
  metrics.rotation({
    phase: present.phase,
    since: present.phaseSince,
    standings: counts,
    stragglers,
    unproven,
    certificates: gate?.leaves.count ?? 0,
    blocked: obstacle !== undefined,
  });
}
