import { Gauge, type Registry } from 'prom-client';
import type { CheckpointAge, Metrics } from '../../domain/ports/index.ts';
import type { Clock } from '../../kernel/index.ts';

/** How old what is sworn to of the audit record is, outside of the store. */
export function createCheckpointMetrics(registry: Registry, clock: Clock): Pick<Metrics, 'checkpoints'> {
  let states: () => readonly CheckpointAge[] = () => [];
  const gauge = (
    name: string,
    help: string,
    of: (state: CheckpointAge) => Date | undefined,
    none?: number,
  ) => {
    const made: Gauge<'place'> = new Gauge({
      name: `citadel_audit_${name}`,
      help,
      labelNames: ['place'],
      registers: [registry],
      collect: () => {
        made.reset();
        for (const state of states()) {
          const from = of(state);
          const age = from ? Math.max(0, (clock.now().getTime() - from.getTime()) / 1000) : none;
          if (age !== undefined) made.set({ place: state.place }, age);
        }
      },
    });
  };
  gauge(
    'checkpoint_age_seconds',
    'Since the last checkpoint of a place was made; absent where that is not known',
    ({ at }) => at,
  );
  gauge(
    'checkpoint_waiting_seconds',
    'For how long entries have waited to be sworn to in a place; 0 where none do',
    ({ waitingSince }) => waitingSince,
    0,
  );
  return {
    checkpoints: (given) => {
      states = given;
    },
  };
}
