import type { CheckpointService } from '../domain/audit/index.ts';
import { CitadelError } from '../kernel/index.ts';
import type { Probe } from './health.ts';

/** Whether each place gets its checkpoints, and agrees with the store. */
export function checkpointProbes(checkpoints: Pick<CheckpointService, 'states'>): Probe[] {
  return checkpoints.states().map(({ place }) => ({
    name: `audit-checkpoints-${place}`,
    why: 'what was appended since the last checkpoint could be cut off or rewritten without a trace',
    mend: 'give the place back, and it catches up; where it disagrees: citadel log verify, then the right store',
    // Only a store that is another one, or an older one, is worse than what is issued by nobody.
    essential: true,
    run: () => {
      const state = checkpoints.states().find((one) => one.place === place);
      if (state?.problem === undefined)
        return Promise.resolve(
          state?.overdue
            ? `entries wait to be sworn to since ${state.waitingSince?.toISOString()}`
            : undefined,
        );
      const since = state.since ? ` (since ${state.since.toISOString()})` : '';
      if (state.disagrees)
        return Promise.reject(new CitadelError('FailedPrecondition', `${state.problem}${since}`));
      return Promise.resolve(`${state.problem}${since}`);
    },
  }));
}
