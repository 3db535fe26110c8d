import type { Clock } from '../../kernel/index.ts';
import type { AuditLog } from '../ports/index.ts';

const action = 'audit.checkpoints.begin';
const mostPlaces = 100;

/** Which places have kept checkpoints of a record, by the record itself: one that keeps none any more was emptied. */
export interface KeptPlaces {
  has(place: string): Promise<boolean>;
  /** Puts it on record, once. */
  note(place: string): Promise<void>;
}

export function createKeptPlaces(
  log: Pick<AuditLog, 'find' | 'append'>,
  clock: Pick<Clock, 'now'>,
): KeptPlaces {
  let known: Promise<Set<string>> | undefined;
  const read = async () =>
    new Set((await log.find({ action, limit: mostPlaces })).items.map(({ target }) => target));
  const places = async () => {
    known ??= read().catch((error: unknown) => {
      known = undefined;
      throw error;
    });
    return known;
  };
  return {
    has: async (place) => (await places()).has(place),
    async note(place) {
      const noted = await places();
      if (noted.has(place)) return;
      await log.append({
        at: clock.now(),
        action,
        outcome: 'allowed',
        subject: 'server',
        proof: 'none',
        target: place,
        reason: 'the first checkpoint is kept there: from now on it must keep one',
        details: {},
      });
      noted.add(place);
    },
  };
}
