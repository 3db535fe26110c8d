import type { EnforcementRun, EnforcementStep } from '../../../domain/enforcement/index.ts';
import type { EnforcementStore } from '../../../domain/ports/index.ts';
import type { Executor } from './executor.ts';
import type { BetterSQLite3Database } from './orm.ts';
import { and, asc, inArray, lt } from './orm.ts';
import { enforcementRun, type StoredRun } from './schema.ts';

export function createEnforcementStore(
  database: BetterSQLite3Database,
  executor: Executor,
): EnforcementStore {
  return {
    save: (runs) =>
      executor.write(() => {
        for (const run of runs) {
          const { id, state, startedAt, updatedAt } = run;
          const row = { id, state, startedAt, updatedAt, run: storeRun(run) };
          database
            .insert(enforcementRun)
            .values(row)
            .onConflictDoUpdate({ target: enforcementRun.id, set: row })
            .run();
        }
      }),

    list: () =>
      executor.read(() =>
        database
          .select()
          .from(enforcementRun)
          .orderBy(asc(enforcementRun.startedAt), asc(enforcementRun.id))
          .all()
          .map(({ run }) => loadRun(run)),
      ),

    prune: (before) =>
      executor.write(
        () =>
          database
            .delete(enforcementRun)
            .where(
              and(
                inArray(enforcementRun.state, ['superseded', 'reverted']),
                lt(enforcementRun.updatedAt, before),
              ),
            )
            .run().changes,
      ),
  };
}

const text = (date: Date | undefined): string | undefined => date?.toISOString();
const date = (stored: string | undefined): Date | undefined =>
  stored === undefined ? undefined : new Date(stored);

function storeRun(run: EnforcementRun): StoredRun {
  return {
    ...run,
    startedAt: run.startedAt.toISOString(),
    updatedAt: run.updatedAt.toISOString(),
    revertUntil: text(run.revertUntil),
    steps: run.steps.map((step) => ({
      ...step,
      since: step.since.toISOString(),
      askedAt: text(step.askedAt),
      drainedAt: text(step.drainedAt),
    })),
  };
}

function loadRun(stored: StoredRun): EnforcementRun {
  return {
    ...stored,
    startedAt: new Date(stored.startedAt),
    updatedAt: new Date(stored.updatedAt),
    revertUntil: date(stored.revertUntil),
    halt: stored.halt,
    steps: stored.steps.map(
      (step): EnforcementStep => ({
        ...step,
        since: new Date(step.since),
        askedAt: date(step.askedAt),
        drainedAt: date(step.drainedAt),
      }),
    ),
  };
}
