import { isIP } from 'node:net';
import { type DenialRecord, denialCaller } from '../../../domain/denials/index.ts';
import type { DenialLimits, DenialQuery, DenialStore } from '../../../domain/ports/index.ts';
import type { Executor } from './executor.ts';
import type { BetterSQLite3Database, SQL } from './orm.ts';
import { and, desc, eq, gte, inArray, lt, or, sql } from './orm.ts';
import { pageToken, readPageToken, validLimit } from './page-token.ts';
import { denial, type StoredDenial } from './schema.ts';

type Row = typeof denial.$inferInsert;

export function createDenialStore(database: BetterSQLite3Database, executor: Executor): DenialStore {
  const forgetBeyond = (most: number, where: SQL | undefined): void => {
    // SQLite takes an offset behind a limit alone: as many as there can be.
    const beyond = database
      .select({ sequence: denial.sequence })
      .from(denial)
      .where(where)
      .orderBy(desc(denial.sequence))
      .limit(Number.MAX_SAFE_INTEGER)
      .offset(most);
    database.delete(denial).where(inArray(denial.sequence, beyond)).run();
  };

  const keepTo = (rows: readonly Row[], { perCaller, perWorkload, inAll }: DenialLimits): void => {
    const groups = new Map<string, { readonly most: number; readonly where: SQL | undefined }>();
    for (const { proved, workload, caller } of rows) {
      const ofKind = eq(denial.proved, proved);
      const ofWorkload = and(ofKind, eq(denial.workload, workload));
      const ofIdentity = and(ofWorkload, eq(denial.caller, caller));
      groups.set(JSON.stringify([proved, workload, caller]), { most: perCaller, where: ofIdentity });
      groups.set(JSON.stringify([proved, workload]), { most: perWorkload, where: ofWorkload });
      groups.set(JSON.stringify([proved]), { most: inAll, where: ofKind });
    }
    for (const { most, where } of groups.values()) forgetBeyond(most, where);
  };

  return {
    save: (records, limits) =>
      executor.write(() => {
        const rows = records.map(toRow);
        for (const row of rows) database.insert(denial).values(row).onConflictDoNothing().run();
        keepTo(rows, limits);
      }),

    get: (id) =>
      executor.read(() => {
        const row = database.select({ record: denial.record }).from(denial).where(eq(denial.id, id)).get();
        return row && toRecord(row.record);
      }),

    find: ({ to, from, since, limit: asked, pageToken: token }) =>
      executor.read(() => {
        const limit = validLimit(asked);
        const scope = ['denials', to, from, since?.getTime()];
        const before = token === undefined ? undefined : readPageToken(token, scope);
        const rows = database
          .select({ sequence: denial.sequence, record: denial.record })
          .from(denial)
          .where(
            and(
              to === undefined
                ? undefined
                : or(eq(denial.workload, to), eq(denial.callee, to), eq(denial.account, to)),
              from === undefined ? undefined : ofCaller(from),
              since && gte(denial.told, since),
              before === undefined ? undefined : lt(denial.sequence, before),
            ),
          )
          .orderBy(desc(denial.sequence))
          .limit(limit + 1)
          .all();
        const items = rows.slice(0, limit);
        const last = rows.length > limit ? items.at(-1) : undefined;
        const found = { items: items.map(({ record }) => toRecord(record)) };
        return last ? { ...found, nextPageToken: pageToken(last.sequence, scope) } : found;
      }),

    prune: (before) =>
      executor.write(() => database.delete(denial).where(lt(denial.told, before)).run().changes),
  };
}

function ofCaller(from: NonNullable<DenialQuery['from']>): SQL | undefined {
  if (from === '') return eq(denial.proved, false);
  if (isIP(from) !== 0) return eq(denial.address, from);
  if (from.startsWith('spiffe://')) return and(eq(denial.proved, true), eq(denial.caller, from));
  const [namespace, account] = from.split('/', 2);
  const end = `/ns/${namespace}/sa/${account}`;
  return and(eq(denial.proved, true), sql`substr(${denial.caller}, ${-end.length}) = ${end}`);
}

function toRow(record: DenialRecord): Row {
  const { entry, serviceAccount, told } = record;
  const { workload, callerId, callerAddress } = entry;
  const [namespace, name] = workload.split('/').slice(-2);
  return {
    id: entry.denial.id,
    told,
    workload,
    callee: `${namespace}/${name}`,
    account: serviceAccount === undefined ? null : `${namespace}/${serviceAccount}`,
    proved: callerId !== undefined,
    caller: denialCaller(entry),
    address: callerAddress,
    record: { ...record, entry: { ...entry, at: entry.at.toISOString() }, told: told.toISOString() },
  };
}

/** JSON has no undefined: what is not there is named. */
function toRecord({ entry, told, ...rest }: StoredDenial): DenialRecord {
  const { denial: details } = entry;
  return {
    serviceAccount: rest.serviceAccount,
    policiesVersion: rest.policiesVersion,
    decidedBy: rest.decidedBy && { rules: rest.decidedBy.rules, revision: rest.decidedBy.revision },
    told: new Date(told),
    entry: {
      ...entry,
      callerId: entry.callerId,
      method: entry.method,
      path: entry.path,
      host: entry.host,
      serverName: entry.serverName,
      policy: entry.policy,
      rule: entry.rule,
      reason: entry.reason,
      at: new Date(entry.at),
      denial: {
        ...details,
        remoteAddress: details.remoteAddress,
        calleeAddress: details.calleeAddress,
      },
    },
  };
}
