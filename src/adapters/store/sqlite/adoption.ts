import type { AdoptionStore, Consumer } from '../../../domain/ports/index.ts';
import type { Executor } from './executor.ts';
import type { BetterSQLite3Database } from './orm.ts';
import { asc, eq, lt } from './orm.ts';
import { proxyReport, type StoredConsumer } from './schema.ts';

export function createAdoptionStore(database: BetterSQLite3Database, executor: Executor): AdoptionStore {
  return {
    record: (report) =>
      executor.write(() => {
        const { crlVersion = null } = report;
        const row = { ...report, crlVersion, consumers: report.consumers.map(storeConsumer) };
        database
          .insert(proxyReport)
          .values(row)
          .onConflictDoUpdate({ target: proxyReport.proxyKey, set: row })
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
          .map(({ crlVersion, ...row }) => ({
            ...row,
            ...(crlVersion === null ? {} : { crlVersion }),
            consumers: row.consumers.map(loadConsumer),
          })),
      ),

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
