import type { RootRotation, RotationCanary, RotationStore } from '../../../domain/ports/index.ts';
import { CitadelError } from '../../../kernel/index.ts';
import { isDuplicate } from './errors.ts';
import type { Executor } from './executor.ts';
import type { BetterSQLite3Database } from './orm.ts';
import { desc, sql } from './orm.ts';
import { validLimit } from './page-token.ts';
import { rotation, type StoredCanary } from './schema.ts';

/** As the index has it, which lets one alone be under way. */
const underWay = sql`phase not in ('done', 'aborted')`;

export function createRotationStore(database: BetterSQLite3Database, executor: Executor): RotationStore {
  return {
    current: () =>
      executor.read(() => {
        const row = database.select().from(rotation).where(underWay).get();
        return row && toRotation(row);
      }),

    save: (saved) =>
      executor.write(() => {
        const row = toRow(saved);
        try {
          database.insert(rotation).values(row).onConflictDoUpdate({ target: rotation.id, set: row }).run();
        } catch (error) {
          if (!isDuplicate(error)) throw error;
          throw new CitadelError('AlreadyExists', 'another rotation is under way', { cause: error });
        }
      }),

    list: (limit) =>
      executor.read(() =>
        database
          .select()
          .from(rotation)
          .orderBy(desc(rotation.startedAt), desc(rotation.id))
          .limit(validLimit(limit))
          .all()
          .map(toRotation),
      ),
  };
}

function toRow({ newRoot, given, words, canary, ...rest }: RootRotation): typeof rotation.$inferInsert {
  return {
    ...rest,
    canary: canary ? storeCanary(canary) : null,
    newRoot: newRoot ?? null,
    given: given ?? null,
    words: words.map(({ at, ...word }) => ({ ...word, at: at.toISOString() })),
  };
}

function toRotation({ newRoot, given, words, canary, ...rest }: typeof rotation.$inferSelect): RootRotation {
  return {
    ...rest,
    canary: canary ? loadCanary(canary) : undefined,
    newRoot: newRoot ?? undefined,
    ...(given === null ? {} : { given }),
    words: words.map(({ at, ...word }) => ({ ...word, at: new Date(at) })),
  };
}

function storeCanary({ watched, ...rest }: RotationCanary): StoredCanary {
  return {
    ...rest,
    watched: watched.map(({ since, halt, ...proxy }) => ({
      ...proxy,
      since: since?.toISOString(),
      halt: halt && { ...halt, at: halt.at.toISOString() },
    })),
  };
}

/** What is undefined has no place in JSON, and is so again. */
function loadCanary({ watched, upTo, ...rest }: StoredCanary): RotationCanary {
  return {
    ...rest,
    upTo,
    watched: watched.map(({ since, halt, failedBefore, ...proxy }) => ({
      ...proxy,
      since: since === undefined ? undefined : new Date(since),
      failedBefore,
      halt: halt && { ...halt, at: new Date(halt.at) },
    })),
  };
}
