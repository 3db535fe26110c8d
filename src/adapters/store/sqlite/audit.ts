import { encodeEntry, frontierAt, inclusionPath, leafHash, textsOf } from '../../../domain/audit/index.ts';
import type { AuditLog } from '../../../domain/ports/index.ts';
import { CitadelError } from '../../../kernel/index.ts';
import { AuditTree } from './audit-tree.ts';
import type { Executor } from './executor.ts';
import type { BetterSQLite3Database } from './orm.ts';
import { and, asc, desc, eq, gt, gte, lt, lte, type SQL, sql } from './orm.ts';
import { pageToken, readPageToken, validLimit } from './page-token.ts';
import { audit } from './schema.ts';

const issued = { action: 'certificate.issue', outcome: 'allowed' } as const;

export function createAuditLog(database: BetterSQLite3Database, executor: Executor): AuditLog {
  const tree = new AuditTree(database);
  const insertEvent = database
    .insert(audit)
    .values({
      sequence: sql.placeholder('sequence'),
      at: sql.placeholder('at'),
      action: sql.placeholder('action'),
      outcome: sql.placeholder('outcome'),
      subject: sql.placeholder('subject'),
      proof: sql.placeholder('proof'),
      target: sql.placeholder('target'),
      reason: sql.placeholder('reason'),
      details: sql.placeholder('details'),
      hashes: sql.placeholder('hashes'),
    })
    .prepare();
  const within = (size: number) => {
    const { size: all } = tree.frontier();
    if (!Number.isInteger(size) || size < 0 || size > all)
      throw new CitadelError('OutOfRange', `the audit record has ${all} entries`);
  };

  return {
    append: (event) => {
      const texts = textsOf(event);
      return executor.write(() => {
        const frontier = tree.frontier();
        const sequence = frontier.size + 1;
        const hashes = frontier.append(leafHash(encodeEntry(sequence, event.at.getTime(), texts)));
        insertEvent.run({ ...texts, sequence, at: event.at, hashes });
      });
    },

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
        const items = rows.slice(0, limit).map(({ hashes: _hashes, details, ...event }) => ({
          ...event,
          details: readDetails(details),
        }));
        const last = rows.length > limit ? items.at(-1) : undefined;
        return last ? { items, nextPageToken: pageToken(last.sequence, scope) } : { items };
      }),

    head: () =>
      executor.read(() => {
        const frontier = tree.frontier();
        return { size: frontier.size, root: frontier.root() };
      }),

    rootAt: (size) =>
      executor.read(() => {
        within(size);
        return frontierAt(size, tree.kept).root();
      }),

    inclusion: (sequence, size) =>
      executor.read(() => {
        within(size);
        if (!Number.isInteger(sequence) || sequence < 1 || sequence > size)
          throw new CitadelError('OutOfRange', `entry ${sequence} is not among the first ${size}`);
        return inclusionPath(sequence - 1, size, tree.kept);
      }),

    findIssued: (serial, from, until) =>
      executor.read(() => {
        const found = database
          .select({ sequence: audit.sequence })
          .from(audit)
          .where(
            and(
              gte(audit.at, from),
              lte(audit.at, until),
              eq(audit.action, issued.action),
              eq(audit.outcome, issued.outcome),
              sql`instr(${audit.details}, ${`"serial":${JSON.stringify(serial)}`}) > 0`,
            ),
          )
          // By time: it stands near the beginning.
          .orderBy(asc(audit.at))
          .limit(1)
          .get();
        return found?.sequence;
      }),

    entries: (after, limit) => executor.read(() => tree.entries(after, validLimit(limit))),
  };
}

/** Of a row that somebody has changed nothing is believed, and the rest of the record can still be read. */
function readDetails(text: string): Record<string, string> {
  try {
    const details: unknown = JSON.parse(text);
    if (typeof details !== 'object' || details === null) return {};
    return Object.fromEntries(Object.entries(details).map(([name, value]) => [name, String(value)]));
  } catch {
    return {};
  }
}

/** Ends a walk from the newest event where none can match any more; the record itself grows for ever. */
function firstAfter(after: Date): SQL {
  return sql`(select min(${audit.sequence}) from ${audit} where ${gt(audit.at, after)})`;
}
