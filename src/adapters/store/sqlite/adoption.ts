import type { AdoptionStore, Consumer, HandshakeTally } from '../../../domain/ports/index.ts';
import type { Executor } from './executor.ts';
import type { BetterSQLite3Database } from './orm.ts';
import { and, asc, eq, lt } from './orm.ts';
import { issuance, proxyReport, type StoredConsumer, type StoredTally } from './schema.ts';

export function createAdoptionStore(database: BetterSQLite3Database, executor: Executor): AdoptionStore {
  return {
    record: (report) =>
      executor.write(() => {
        const { crlVersion = null } = report;
        const row = {
          ...report,
          crlVersion,
          agentProgram: report.agentProgram ?? null,
          consumers: report.consumers.map(storeConsumer),
        };
        database
          .insert(proxyReport)
          .values(row)
          .onConflictDoUpdate({ target: proxyReport.proxyKey, set: row })
          .run();
        database
          .update(issuance)
          .set({ reported: true })
          .where(and(eq(issuance.serial, report.svidSerial), eq(issuance.reported, false)))
          .run();
      }),

    markDisconnected: (proxyKey, at) =>
      executor.write(() => {
        database
          .update(proxyReport)
          .set({ connected: false, lastSeenAt: at })
          .where(eq(proxyReport.proxyKey, proxyKey))
          .run();
      }),

    markAllDisconnected: () =>
      executor.write(() => {
        database.update(proxyReport).set({ connected: false }).where(eq(proxyReport.connected, true)).run();
      }),

    list: () =>
      executor.read(() =>
        database
          .select()
          .from(proxyReport)
          .orderBy(asc(proxyReport.proxyKey))
          .all()
          .map(({ crlVersion, handshakes, agentProgram, ...row }) => ({
            ...row,
            ...(crlVersion === null ? {} : { crlVersion }),
            ...(agentProgram ? { agentProgram } : {}),
            consumers: row.consumers.map(loadConsumer),
            ...(handshakes ? { handshakes: loadTally(handshakes) } : {}),
          })),
      ),

    handshakes: (proxyKey) =>
      executor.read(() => {
        const row = database
          .select({ handshakes: proxyReport.handshakes })
          .from(proxyReport)
          .where(eq(proxyReport.proxyKey, proxyKey))
          .get();
        return row?.handshakes ? loadTally(row.handshakes) : undefined;
      }),

    recordHandshakes: (proxyKey, tally) =>
      executor.write(() => {
        database
          .update(proxyReport)
          .set({ handshakes: storeTally(tally) })
          .where(eq(proxyReport.proxyKey, proxyKey))
          .run();
      }),

    prune: (before) =>
      executor.write(
        () => database.delete(proxyReport).where(lt(proxyReport.lastSeenAt, before)).run().changes,
      ),
  };
}

function storeConsumer(consumer: Consumer): StoredConsumer {
  return {
    ...consumer,
    lastSeenAt: consumer.lastSeenAt.toISOString(),
    resources: consumer.resources.map((resource) => ({
      ...resource,
      observedAt: resource.observedAt.toISOString(),
    })),
  };
}

function storeTally({ last, ...totals }: HandshakeTally): StoredTally {
  const { startedAt, observedAt } = last;
  return {
    ...totals,
    last: { ...last, startedAt: startedAt.toISOString(), observedAt: observedAt.toISOString() },
  };
}

function loadTally({ last, ...totals }: StoredTally): HandshakeTally {
  return {
    ...totals,
    last: { ...last, startedAt: new Date(last.startedAt), observedAt: new Date(last.observedAt) },
  };
}

function loadConsumer(stored: StoredConsumer): Consumer {
  return {
    ...stored,
    lastSeenAt: new Date(stored.lastSeenAt),
    resources: stored.resources.map((resource) => ({
      ...resource,
      observedAt: new Date(resource.observedAt),
    })),
  };
}
