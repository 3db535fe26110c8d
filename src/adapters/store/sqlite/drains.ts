import type { DrainStore } from '../../../domain/ports/index.ts';
import type { Executor } from './executor.ts';
import type { BetterSQLite3Database } from './orm.ts';
import { asc, eq } from './orm.ts';
import { drain } from './schema.ts';

export function createDrainStore(database: BetterSQLite3Database, executor: Executor): DrainStore {
  return {
    list: () => executor.read(() => database.select().from(drain).orderBy(asc(drain.generation)).all()),

    add: (cause, at) =>
      executor.write(() => {
        const known = database.select().from(drain).where(eq(drain.cause, cause)).get();
        return known ?? database.insert(drain).values({ cause, at }).returning().get();
      }),
  };
}
