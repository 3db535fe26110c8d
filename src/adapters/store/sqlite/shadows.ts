import type { ShadowStore } from '../../../domain/ports/index.ts';
import {
  addTally,
  addWatch,
  type ShadowDifference,
  type ShadowTally,
  shadowLimits,
} from '../../../domain/shadow/index.ts';
import type { Executor } from './executor.ts';
import type { BetterSQLite3Database } from './orm.ts';
import { asc, eq, inArray, sql } from './orm.ts';
import { policyCandidate, type StoredDifference, shadowTally, shadowWatch } from './schema.ts';

export function createShadowStore(database: BetterSQLite3Database, executor: Executor): ShadowStore {
  const watches = () =>
    database.select().from(shadowWatch).orderBy(asc(shadowWatch.since), asc(shadowWatch.id)).all();

  /** @returns how many more kinds of differences there are */
  const addOne = (added: ShadowTally, room: number): number => {
    const ofWorkload = eq(shadowTally.workload, added.workload);
    const row = database.select().from(shadowTally).where(ofWorkload).get();
    const tally = toRow(addTally(row && toTally(row), added, room));
    database
      .insert(shadowTally)
      .values(tally)
      .onConflictDoUpdate({ target: shadowTally.workload, set: tally })
      .run();
    return tally.kinds - (row?.kinds ?? 0);
  };

  const kindsInAll = (): number =>
    database
      .select({ kinds: sql<number | null>`sum(${shadowTally.kinds})` })
      .from(shadowTally)
      .get()?.kinds ?? 0;

  const forgetSilent = (): void => {
    const total = database.select({ rows: sql<number>`count(*)` }).from(shadowTally).get()?.rows ?? 0;
    if (total <= shadowLimits.workloads) return;
    const silent = database
      .select({ workload: shadowTally.workload })
      .from(shadowTally)
      .orderBy(asc(shadowTally.last), asc(shadowTally.workload))
      .limit(total - shadowLimits.workloads);
    database.delete(shadowTally).where(inArray(shadowTally.workload, silent)).run();
  };

  return {
    add: (candidate, watch, tallies) =>
      executor.write(() => {
        if (candidateId(database) !== candidate) return;
        const kept = addWatch(watches(), watch);
        database.delete(shadowWatch).run();
        for (const each of kept) database.insert(shadowWatch).values(each).run();
        let kinds = kindsInAll();
        for (const tally of tallies) kinds += addOne(tally, shadowLimits.inAll - kinds);
        forgetSilent();
      }),

    seen: (candidate) =>
      executor.read(() =>
        candidateId(database) === candidate
          ? {
              watches: watches(),
              tallies: database
                .select()
                .from(shadowTally)
                .orderBy(asc(shadowTally.workload))
                .all()
                .map(toTally),
            }
          : { watches: [], tallies: [] },
      ),
  };
}

export function candidateId(database: BetterSQLite3Database): string | undefined {
  return database.select({ id: policyCandidate.id }).from(policyCandidate).get()?.id;
}

/** Within the write that takes the candidate away. */
export function forgetShadow(database: BetterSQLite3Database): void {
  database.delete(shadowTally).run();
  database.delete(shadowWatch).run();
}

type Row = typeof shadowTally.$inferSelect;

function toRow(tally: ShadowTally): Row {
  const { differences } = tally;
  return { ...tally, kinds: differences.length, differences: differences.map(toStored) };
}

function toTally(stored: Row): ShadowTally {
  const { kinds: _, differences, ...row } = stored;
  return { ...row, differences: differences.map(toDifference) };
}

function toStored({ first, last, examples, ...rest }: ShadowDifference): StoredDifference {
  return {
    ...rest,
    first: first.toISOString(),
    last: last.toISOString(),
    examples: examples.map(({ at, ...example }) => ({ ...example, at: at.toISOString() })),
  };
}

/** JSON has no undefined: what is not there is named. */
function toDifference({ first, last, examples, ...rest }: StoredDifference): ShadowDifference {
  return {
    ...rest,
    callerId: rest.callerId,
    policy: rest.policy,
    rule: rest.rule,
    by: rest.by,
    first: new Date(first),
    last: new Date(last),
    examples: examples.map(({ at, ...example }) => ({
      ...example,
      method: example.method,
      path: example.path,
      at: new Date(at),
    })),
  };
}
