import { createHash } from 'node:crypto';
import type {
  DecisionRecord,
  DecisionRecordStore,
  ForgottenDecisions,
  RecordedAttribute,
} from '../../../domain/ports/index.ts';
import { decisionKey } from '../../../domain/records/index.ts';
import type { Executor } from './executor.ts';
import type { BetterSQLite3Database, SQL } from './orm.ts';
import { and, asc, desc, eq, gte, inArray, lt, sql } from './orm.ts';
import { pageToken, readPageToken, validLimit } from './page-token.ts';
import { decisionRecord, forgottenDecisions } from './schema.ts';

type Row = typeof decisionRecord.$inferSelect;

export function createDecisionRecordStore(
  database: BetterSQLite3Database,
  executor: Executor,
): DecisionRecordStore {
  const forgotten = () => database.select().from(forgottenDecisions).get();

  const save = (record: DecisionRecord): void => {
    const identity = identityOf(record);
    if (record.count === 0) {
      database.delete(decisionRecord).where(eq(decisionRecord.identity, identity)).run();
      return;
    }
    const row = toRow(record);
    database
      .insert(decisionRecord)
      .values({ ...row, identity })
      .onConflictDoUpdate({ target: decisionRecord.identity, set: row })
      .run();
  };

  const noteForgotten = ({ calls, until }: ForgottenDecisions): void => {
    const before = forgotten();
    const row = {
      id: 1,
      calls: calls + (before?.calls ?? 0),
      until: before && before.until > until ? before.until : until,
    };
    database
      .insert(forgottenDecisions)
      .values(row)
      .onConflictDoUpdate({ target: forgottenDecisions.id, set: row })
      .run();
  };

  /** The oldest of what is too much. */
  const forgetBeyond = (most: number): number => {
    const total = database.select({ rows: sql<number>`count(*)` }).from(decisionRecord).get()?.rows ?? 0;
    if (total <= most) return 0;
    const oldest = database
      .select({ sequence: decisionRecord.sequence })
      .from(decisionRecord)
      .orderBy(asc(decisionRecord.period), asc(decisionRecord.sequence))
      .limit(total - most);
    const among = inArray(decisionRecord.sequence, oldest);
    const lost = database
      .select({
        calls: sql<number>`sum(${decisionRecord.count})`,
        until: sql<number>`max(${decisionRecord.last})`,
      })
      .from(decisionRecord)
      .where(among)
      .get();
    if (lost) noteForgotten({ calls: lost.calls, until: new Date(lost.until) });
    return database.delete(decisionRecord).where(among).run().changes;
  };

  return {
    save: (records) =>
      executor.write(() => {
        for (const record of records) save(record);
      }),

    find: ({ workloads, since, limit: asked, pageToken: token }) =>
      executor.read(() => {
        const limit = validLimit(asked);
        const scope = ['decisions', workloads?.toSorted(), since?.getTime()];
        const before = token === undefined ? undefined : readPageToken(token, scope);
        const conditions: (SQL | undefined)[] = [
          workloads && inArray(decisionRecord.workload, [...workloads]),
          since && gte(decisionRecord.last, since),
          before === undefined ? undefined : lt(decisionRecord.sequence, before),
        ];
        const rows = database
          .select()
          .from(decisionRecord)
          .where(and(...conditions))
          .orderBy(desc(decisionRecord.sequence))
          .limit(limit + 1)
          .all();
        const items = rows.slice(0, limit);
        const last = rows.length > limit ? items.at(-1) : undefined;
        const found = { items: items.map(toRecord) };
        return last ? { ...found, nextPageToken: pageToken(last.sequence, scope) } : found;
      }),

    prune: (before, most) =>
      executor.write(
        () =>
          database.delete(decisionRecord).where(lt(decisionRecord.last, before)).run().changes +
          forgetBeyond(most),
      ),

    forgotten: () =>
      executor.read(() => {
        const row = forgotten();
        return row && { calls: row.calls, until: row.until };
      }),
  };
}

function identityOf(record: DecisionRecord): string {
  return createHash('sha256').update(decisionKey(record)).digest('base64url');
}

function toRow(record: DecisionRecord): Omit<Row, 'sequence' | 'identity'> {
  const { serviceAccount, caller, method, path, host, serverName, refusedBy, policy, rule, rules, ...rest } =
    record;
  return {
    ...rest,
    serviceAccount: serviceAccount ?? null,
    caller: caller ?? null,
    method: method ?? null,
    path: path ?? null,
    host: host ?? null,
    serverName: serverName ?? null,
    refusedBy: refusedBy ?? null,
    policy: policy ?? null,
    rule: rule ?? null,
    rules: rules ?? null,
  };
}

function toRecord({ sequence: _sequence, identity: _identity, ...row }: Row): DecisionRecord {
  const {
    serviceAccount,
    caller,
    method,
    path,
    host,
    serverName,
    refusedBy,
    policy,
    rule,
    rules,
    lacks,
    ...rest
  } = row;
  return {
    ...rest,
    serviceAccount: serviceAccount ?? undefined,
    caller: caller ?? undefined,
    method: method ?? undefined,
    path: path ?? undefined,
    host: host ?? undefined,
    serverName: serverName ?? undefined,
    refusedBy: refusedBy ?? undefined,
    policy: policy ?? undefined,
    rule: rule ?? undefined,
    ...(rules === null ? {} : { rules }),
    lacks: lacks satisfies readonly RecordedAttribute[],
  };
}
