import { encodeEntry, entryTexts, Frontier, frontierAt, leafHash } from '../../../domain/audit/index.ts';
import { CitadelError, type Log } from '../../../kernel/index.ts';
import type { BetterSQLite3Database } from './orm.ts';
import { asc, desc, eq, gt, isNull, sql } from './orm.ts';
import { audit } from './schema.ts';

/** Entries put into the tree in one transaction. */
const chainedTogether = 5000;

const text = (name: (typeof entryTexts)[number]) => sql<Buffer | null>`cast(${audit[name]} as blob)`;

/** A row byte by byte, whatever somebody has made of it. */
const rawColumns = {
  sequence: audit.sequence,
  at: sql<unknown>`${audit.at}`,
  sound: sql<number>`typeof(${audit.at}) = 'integer' and ${sql.join(
    entryTexts.map((name) => sql`typeof(${audit[name]}) = 'text'`),
    sql` and `,
  )}`,
  action: text('action'),
  outcome: text('outcome'),
  subject: text('subject'),
  proof: text('proof'),
  target: text('target'),
  reason: text('reason'),
  details: text('details'),
  hashes: sql<unknown>`${audit.hashes}`,
};

type RawRow = { readonly [K in keyof typeof rawColumns]: unknown };

/** The bytes of the row's entry; empty where a part of it is not of its type. */
function entryOf(row: RawRow): Uint8Array {
  const { sequence, at, sound } = row;
  if (sound !== 1 || typeof sequence !== 'number' || typeof at !== 'number') return new Uint8Array();
  if (!Number.isSafeInteger(sequence) || !Number.isSafeInteger(at)) return new Uint8Array();
  return encodeEntry(sequence, at, {
    action: bytesOf(row.action),
    outcome: bytesOf(row.outcome),
    subject: bytesOf(row.subject),
    proof: bytesOf(row.proof),
    target: bytesOf(row.target),
    reason: bytesOf(row.reason),
    details: bytesOf(row.details),
  });
}

/** SQLite gives null for no bytes at all. */
function bytesOf(value: unknown): Uint8Array {
  return value instanceof Uint8Array ? value : new Uint8Array();
}

/** The hash tree over the rows of the audit record. What is in memory is a copy alone: the rows are what holds. */
export class AuditTree {
  readonly #last;
  readonly #kept;
  readonly #rawAfter;
  #frontier = new Frontier();

  constructor(database: BetterSQLite3Database) {
    this.#last = database
      .select({ sequence: sql<number | null>`max(${audit.sequence})` })
      .from(audit)
      .prepare();
    this.#kept = database
      .select({ hashes: audit.hashes })
      .from(audit)
      .where(eq(audit.sequence, sql.placeholder('sequence')))
      .prepare();
    this.#rawAfter = database
      .select(rawColumns)
      .from(audit)
      .where(gt(audit.sequence, sql.placeholder('after')))
      .orderBy(asc(audit.sequence))
      .limit(sql.placeholder('limit'))
      .prepare();
  }

  /**
   * Where the next entry goes. A transaction that was rolled back took its rows with it, so that there are fewer than are
   * known of here: what is in memory counts only where both agree.
   */
  frontier(): Frontier {
    const size = this.#last.get()?.sequence ?? 0;
    if (this.#frontier.size !== size) this.#frontier = frontierAt(size, this.kept);
    return this.#frontier;
  }

  readonly kept = (leaf: number): Uint8Array =>
    this.#kept.get({ sequence: leaf + 1 })?.hashes ?? new Uint8Array();

  entries(after: number, limit: number) {
    return this.#rawAfter.all({ after, limit }).map((row) => ({
      sequence: row.sequence,
      entry: entryOf(row),
      hashes: bytesOf(row.hashes),
    }));
  }
}

/**
 * Puts the entries into the tree that an earlier schema recorded without one, and appends that it was done so. May be cut
 * off at any time: the next start goes on.
 */
export function chainEarlierEntries(database: BetterSQLite3Database, now: Date, log: Log): void {
  const last = database.select().from(audit).orderBy(desc(audit.sequence)).limit(1).get();
  if (!last || last.hashes !== null) return;
  const tree = new AuditTree(database);
  const first = database
    .select({ sequence: audit.sequence })
    .from(audit)
    .where(isNull(audit.hashes))
    .orderBy(asc(audit.sequence))
    .limit(1)
    .get();
  const frontier = frontierAt((first?.sequence ?? 1) - 1, tree.kept);
  log.info('putting the audit record into its hash tree', { entries: last.sequence - frontier.size });
  while (frontier.size < last.sequence) {
    database.transaction((transaction) => {
      for (const { sequence, entry } of tree.entries(frontier.size, chainedTogether)) {
        if (sequence !== frontier.size + 1)
          throw new CitadelError(
            'DataLoss',
            `the audit record lacks entry ${frontier.size + 1}: restore the store`,
          );
        const hashes = frontier.append(leafHash(entry));
        transaction.update(audit).set({ hashes }).where(eq(audit.sequence, sequence)).run();
      }
      if (frontier.size >= last.sequence) appendBegin(transaction, frontier, now);
    });
  }
}

function appendBegin(database: Pick<BetterSQLite3Database, 'insert'>, frontier: Frontier, at: Date): void {
  const earlier = frontier.size;
  const texts = {
    action: 'audit.begin',
    outcome: 'allowed' as const,
    subject: 'server',
    proof: 'none',
    target: '',
    reason: 'the hash tree begins; what was recorded before is taken as it was found',
    details: JSON.stringify({ earlier: String(earlier) }),
  };
  const hashes = frontier.append(leafHash(encodeEntry(earlier + 1, at.getTime(), texts)));
  database
    .insert(audit)
    .values({ at, ...texts, hashes })
    .run();
}
