import type { AuditLog } from '../../../domain/ports/index.ts';
import type { Executor } from './executor.ts';
import type { BetterSQLite3Database } from './orm.ts';
import { and, desc, eq, gt, gte, lt, type SQL, sql } from './orm.ts';
import { pageToken, readPageToken, validLimit } from './page-token.ts';
import { audit } from './schema.ts';

export function createAuditLog(database: BetterSQLite3Database, executor: Executor): AuditLog {
  const insertEvent = database
    .insert(audit)
    .values({
      at: sql.placeholder('at'),
      action: sql.placeholder('action'),
      outcome: sql.placeholder('outcome'),
      subject: sql.placeholder('subject'),
      proof: sql.placeholder('proof'),
      target: sql.placeholder('target'),
      reason: sql.placeholder('reason'),
      details: sql.placeholder('details'),
    })
    .prepare();

  return {
    append: (event) =>
      executor.write(() => {
        insertEvent.run({ ...event });
      }),

    find: (query) =>
      executor.read(() => {
        const { action, subject, after } = query;
        const limit = validLimit(query.limit);
        const scope = ['audit', action, subject, after?.getTime()];
        const before = query.pageToken === undefined ? undefined : readPageToken(query.pageToken, scope);
        const rows = database
          .select()
          .from(audit)
          .where(
            and(
              action === undefined ? undefined : eq(audit.action, action),
              subject === undefined ? undefined : eq(audit.subject, subject),
              after === undefined
                ? undefined
                : and(gt(audit.at, after), gte(audit.sequence, firstAfter(after))),
              before === undefined ? undefined : lt(audit.sequence, before),
            ),
          )
          .orderBy(desc(audit.sequence))
          .limit(limit + 1)
          .all();
        const items = rows.slice(0, limit);
        const last = rows.length > limit ? items.at(-1) : undefined;
        return last ? { items, nextPageToken: pageToken(last.sequence, scope) } : { items };
      }),
  };
}

/** Ends a walk from the newest event where none can match any more; the record itself grows for ever. */
function firstAfter(after: Date): SQL {
  return sql`(select min(${audit.sequence}) from ${audit} where ${gt(audit.at, after)})`;
}
