import type { Account, PortEvidence } from '../../../domain/evidence/index.ts';
import type { EvidenceStore } from '../../../domain/ports/index.ts';
import type { Executor } from './executor.ts';
import type { BetterSQLite3Database } from './orm.ts';
import { asc, lt } from './orm.ts';
import { callerEvidence, type StoredAccount, type StoredPort } from './schema.ts';

export function createEvidenceStore(database: BetterSQLite3Database, executor: Executor): EvidenceStore {
  return {
    save: (evidence) =>
      executor.write(() => {
        for (const { workload, account, ports, updatedAt } of evidence) {
          const row = {
            workload,
            updatedAt,
            account: json<StoredAccount>(account),
            ports: json<readonly StoredPort[]>([...ports].map(([port, each]) => ({ port, ...each }))),
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

    prune: (before) =>
      executor.write(
        () => database.delete(callerEvidence).where(lt(callerEvidence.updatedAt, before)).run().changes,
      ),
  };
}

/** What JSON makes of it: dates become their texts. */
function json<T>(value: object): T {
  return JSON.parse(JSON.stringify(value)) as T;
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

function loadPort({ callers, forgottenAt, more, denials }: Omit<StoredPort, 'port'>): PortEvidence {
  return {
    callers: callers.map(({ first, last, ...caller }) => ({
      ...caller,
      first: new Date(first),
      last: new Date(last),
    })),
    forgottenAt: date(forgottenAt),
    more,
    denials: denials && {
      ...denials,
      last: new Date(denials.last),
      policy: denials.policy,
      reason: denials.reason,
    },
  };
}
