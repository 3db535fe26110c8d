import type {
  IssuanceIntent,
  IssuanceQuery,
  IssuanceRecord,
  IssuanceStore,
} from '../../../domain/ports/index.ts';
import { CitadelError } from '../../../kernel/index.ts';
import { isDuplicate } from './errors.ts';
import type { Executor } from './executor.ts';
import type { BetterSQLite3Database } from './orm.ts';
import { and, asc, desc, eq, gt, gte, inArray, lt, type SQL, sql } from './orm.ts';
import { pageToken, readPageToken, validLimit } from './page-token.ts';
import { issuance, unrecorded } from './schema.ts';

type Row = typeof issuance.$inferSelect;

/** So that a large clean-up neither holds up issuing nor grows the WAL. */
const prunedTogether = 1000;
// Literals, or SQLite would not see that the partial indexes serve them.
const unresolved = sql`${issuance.state} = 'intended'`;
const issued = sql`${issuance.state} = 'issued'`;

export function createIssuanceStore(database: BetterSQLite3Database, executor: Executor): IssuanceStore {
  const insertIntent = database
    .insert(issuance)
    .values({
      serial: sql.placeholder('serial'),
      spiffeId: sql.placeholder('spiffeId'),
      principal: sql.placeholder('principal'),
      proxyKey: sql.placeholder('proxyKey'),
      issuer: sql.placeholder('issuer'),
      tbsDigest: sql.placeholder('tbsDigest'),
      bundleVersion: sql.placeholder('bundleVersion'),
      notBefore: sql.placeholder('notBefore'),
      notAfter: sql.placeholder('notAfter'),
      recordedAt: sql.placeholder('recordedAt'),
      reported: false,
    })
    .prepare();
  const updateResult = database
    .update(issuance)
    .set({
      state: sql`${sql.placeholder('state')}`,
      certificate: sql`${sql.placeholder('certificate')}`,
      reason: sql`${sql.placeholder('reason')}`,
    })
    .where(and(eq(issuance.serial, sql.placeholder('serial')), unresolved))
    .prepare();
  const selectOne = database
    .select()
    .from(issuance)
    .where(eq(issuance.serial, sql.placeholder('serial')))
    .prepare();

  const leavesThat = (are: SQL, now: Date) =>
    database
      .select({
        serial: issuance.serial,
        spiffeId: issuance.spiffeId,
        principal: issuance.principal,
        proxyKey: issuance.proxyKey,
        issuer: issuance.issuer,
        bundleVersion: issuance.bundleVersion,
        notAfter: issuance.notAfter,
        recordedAt: issuance.recordedAt,
        reported: sql<boolean>`coalesce(${issuance.reported}, 1)`.mapWith(issuance.reported),
      })
      .from(issuance)
      .where(and(are, gte(issuance.notAfter, now)))
      .orderBy(desc(issuance.sequence))
      .all();

  return {
    recordIntent: (intent) =>
      executor.write(() => {
        try {
          insertIntent.run({ ...intent });
        } catch (error) {
          if (!isDuplicate(error)) throw error;
          throw new CitadelError('AlreadyExists', 'the serial number was recorded before', { cause: error });
        }
      }),

    recordResult: (result) =>
      executor.write(() => {
        const { changes } = updateResult.run({
          serial: result.serial,
          state: result.state,
          certificate: result.state === 'issued' ? result.certificate : null,
          reason: result.state === 'issued' ? null : result.reason,
        });
        if (changes === 0)
          throw new CitadelError(
            'FailedPrecondition',
            'no issuance of that serial number waits for a result',
          );
      }),

    get: (serial) =>
      executor.read(() => {
        const row = selectOne.get({ serial });
        return row && toRecord(row);
      }),

    find: (query) =>
      executor.read(() => {
        const limit = validLimit(query.limit);
        const scope = queryScope(query);
        const before = query.pageToken === undefined ? undefined : readPageToken(query.pageToken, scope);
        const rows = database
          .select()
          .from(issuance)
          .where(and(...conditions(query), before === undefined ? undefined : lt(issuance.sequence, before)))
          .orderBy(desc(issuance.sequence))
          .limit(limit + 1)
          .all();
        const items = rows.slice(0, limit).map(toRecord);
        const last = rows.length > limit ? rows[limit - 1] : undefined;
        return last ? { items, nextPageToken: pageToken(last.sequence, scope) } : { items };
      }),

    findUnresolved: (before, limit) =>
      executor.read(() =>
        database
          .select()
          .from(issuance)
          .where(and(unresolved, lt(issuance.recordedAt, before)))
          .orderBy(asc(issuance.sequence))
          .limit(validLimit(limit))
          .all()
          .map(toIntent),
      ),

    countLive: (now) =>
      executor.read(() =>
        database
          .select({
            issuer: issuance.issuer,
            bundleVersion: issuance.bundleVersion,
            count: sql<number>`count(*)`,
            lastNotAfter: sql`max(${issuance.notAfter})`.mapWith(issuance.notAfter),
          })
          .from(issuance)
          .where(and(issued, gte(issuance.notAfter, now)))
          .groupBy(issuance.issuer, issuance.bundleVersion)
          .orderBy(issuance.issuer, issuance.bundleVersion)
          .all(),
      ),

    liveLeaves: (now) => executor.read(() => leavesThat(issued, now)),

    noteUnrecorded: (until) =>
      executor.write(() => {
        database.insert(unrecorded).values({ until }).onConflictDoNothing().run();
      }),
    unrecordedUntil: () =>
      executor.read(
        () => database.select().from(unrecorded).orderBy(desc(unrecorded.until)).limit(1).get()?.until,
      ),
    pendingLeaves: (now) => executor.read(() => leavesThat(unresolved, now)),

    async prune(before) {
      const ended = database
        .select({ sequence: issuance.sequence })
        .from(issuance)
        .where(lt(issuance.notAfter, before))
        .limit(prunedTogether);
      let total = 0;
      for (;;) {
        const pruned = await executor.write(
          () => database.delete(issuance).where(inArray(issuance.sequence, ended)).run().changes,
        );
        total += pruned;
        if (pruned < prunedTogether) return total;
      }
    },
  };
}

function conditions(query: IssuanceQuery): SQL[] {
  const { spiffeId, issuer, state, expiresBefore, expiresAfter } = query;
  return [
    ...(spiffeId === undefined ? [] : [eq(issuance.spiffeId, spiffeId)]),
    ...(issuer === undefined ? [] : [eq(issuance.issuer, issuer)]),
    ...(state === undefined ? [] : [eq(issuance.state, state)]),
    ...(expiresBefore === undefined ? [] : [lt(issuance.notAfter, expiresBefore)]),
    ...(expiresAfter === undefined ? [] : [gt(issuance.notAfter, expiresAfter)]),
  ];
}

/** What makes two queries the same but for the page. */
function queryScope(query: IssuanceQuery): readonly unknown[] {
  const { spiffeId, issuer, state, expiresBefore, expiresAfter } = query;
  return ['issuance', spiffeId, issuer, state, expiresBefore?.getTime(), expiresAfter?.getTime()];
}

function toIntent(row: Row): IssuanceIntent {
  const { sequence: _, state: _state, certificate: _certificate, reason: _reason, ...more } = row;
  const { reported: _reported, ...intent } = more;
  return intent;
}

function toRecord(row: Row): IssuanceRecord {
  return {
    ...toIntent(row),
    state: row.state,
    ...(row.certificate === null ? {} : { certificate: row.certificate }),
    ...(row.reason === null ? {} : { reason: row.reason }),
  };
}
