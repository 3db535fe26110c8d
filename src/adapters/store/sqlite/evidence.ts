import type { Account, PortEvidence } from '../../../domain/evidence/index.ts';
import type { EvidenceStore } from '../../../domain/ports/index.ts';
import type { Executor } from './executor.ts';
import type { BetterSQLite3Database } from './orm.ts';
import { asc, eq } from './orm.ts';
import { callerEvidence, type StoredAccount, type StoredPort } from './schema.ts';

export function createEvidenceStore(database: BetterSQLite3Database, executor: Executor): EvidenceStore {
  return {
    save: (evidence) =>
      executor.write(() => {
        for (const { workload, account, ports, updatedAt } of evidence) {
          const row = {
            workload,
            updatedAt,
            account: storeAccount(account),
            ports: [...ports].map(([port, each]) => storePort(port, each)),
          };
          database
            .insert(callerEvidence)
            .values(row)
            .onConflictDoUpdate({ target: callerEvidence.workload, set: row })
            .run();
        }
      }),

    list: () =>
      executor.read(() =>
        database
          .select()
          .from(callerEvidence)
          .orderBy(asc(callerEvidence.workload))
          .all()
          .map(({ account, ports, ...row }) => ({
            ...row,
            account: loadAccount(account),
            ports: new Map(ports.map(({ port, ...stored }) => [port, loadPort(stored)])),
          })),
      ),

    remove: (workloads) =>
      executor.write(() => {
        for (const workload of workloads)
          database.delete(callerEvidence).where(eq(callerEvidence.workload, workload)).run();
      }),
  };
}

const text = (date: Date | undefined): string | undefined => date?.toISOString();

function storeAccount({
  counters,
  waiting,
  coverage,
  confirmedAt,
  brokenAt,
  ...rest
}: Account): StoredAccount {
  return {
    ...rest,
    counters: counters && storeCounters(counters),
    waiting: waiting.map(storeCounters),
    coverage: coverage && { ...coverage, since: coverage.since.toISOString() },
    confirmedAt: text(confirmedAt),
    brokenAt: text(brokenAt),
  };
}

function storeCounters(counters: NonNullable<Account['counters']>): NonNullable<StoredAccount['counters']> {
  return {
    ...counters,
    startedAt: counters.startedAt.toISOString(),
    observedAt: counters.observedAt.toISOString(),
  };
}

function storePort(port: number, { callers, forgottenAt, denials, more, refused }: PortEvidence): StoredPort {
  return {
    port,
    callers: callers.map((caller) => ({
      ...caller,
      first: caller.first.toISOString(),
      last: caller.last.toISOString(),
      previous: text(caller.previous),
    })),
    forgottenAt: text(forgottenAt),
    more,
    denials: denials && { ...denials, last: denials.last.toISOString() },
    refused: refused.map((each) => ({ ...each, last: each.last.toISOString() })),
  };
}

const date = (stored: string | undefined): Date | undefined =>
  stored === undefined ? undefined : new Date(stored);

function loadAccount({
  counters,
  waiting,
  coverage,
  confirmedAt,
  brokenAt,
  ...rest
}: StoredAccount): Account {
  return {
    ...rest,
    counters: counters && loadCounters(counters),
    waiting: waiting.map(loadCounters),
    coverage: coverage && { ...coverage, since: new Date(coverage.since) },
    confirmedAt: date(confirmedAt),
    brokenAt: date(brokenAt),
  };
}

function loadCounters(stored: NonNullable<StoredAccount['counters']>): NonNullable<Account['counters']> {
  return { ...stored, startedAt: new Date(stored.startedAt), observedAt: new Date(stored.observedAt) };
}

function loadPort({
  callers,
  forgottenAt,
  more,
  denials,
  refused = [],
}: Omit<StoredPort, 'port'>): PortEvidence {
  return {
    callers: callers.map(({ first, last, previous, ...caller }) => ({
      ...caller,
      first: new Date(first),
      last: new Date(last),
      previous: date(previous),
    })),
    forgottenAt: date(forgottenAt),
    more,
    denials: denials && {
      ...denials,
      last: new Date(denials.last),
      policy: denials.policy,
      reason: denials.reason,
    },
    refused: refused.map((each) => ({ ...each, last: new Date(each.last) })),
  };
}
