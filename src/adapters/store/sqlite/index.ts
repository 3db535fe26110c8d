export { type AuditReader, openAuditReader } from './audit-reader.ts';

import type Database from 'better-sqlite3';
import type { Store, StoreCopier } from '../../../domain/ports/index.ts';
import { CitadelError, type Clock, type Log } from '../../../kernel/index.ts';
import { createAdoptionStore } from './adoption.ts';
import { createAuditLog } from './audit.ts';
import { chainEarlierEntries } from './audit-tree.ts';
import { createAuthorityStore } from './authorities.ts';
import { type ConnectionOptions, integrityProblems, openConnection } from './connection.ts';
import { Copier } from './copy.ts';
import { createDecisionRecordStore } from './decision-records.ts';
import { createDenialStore } from './denials.ts';
import { createDrainStore } from './drains.ts';
import { createEnforcementStore } from './enforcement.ts';
import { storeError } from './errors.ts';
import { createEvidenceStore } from './evidence.ts';
import { Executor } from './executor.ts';
import { createIssuanceStore } from './issuance.ts';
import { migrateStore } from './migrate.ts';
import { createOperatorStore } from './operators.ts';
import { drizzle } from './orm.ts';
import { createPolicyStore } from './policies.ts';
import { createRevocationStore } from './revocations.ts';
import { createRotationStore } from './rotations.ts';
import { probe } from './schema.ts';
import { createShadowStore } from './shadows.ts';

export interface SqliteStoreOptions extends ConnectionOptions {
  /** Told how many writes wait for their commit, whenever that changes. */
  readonly onQueue?: (length: number) => void;
  readonly clock: Clock;
  readonly log: Log;
}

export interface SqliteStore extends Store, StoreCopier {
  /** What is wrong inside the store; empty when it is sound. Reads the whole file and holds up writes meanwhile. */
  verify(): Promise<readonly string[]>;
}

/**
 * Opens the store in one SQLite file (or `:memory:`), creating or migrating it. Every write is durable when its promise
 * resolves. One process at a time: replicas need a shared database instead.
 * @throws CitadelError FailedPrecondition when the file is in use, of a newer schema, not a store or out of reach;
 *   DataLoss when it is damaged; ResourceExhausted when the disk is full
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const { file, clock, log } = options;
  let opened: Database.Database | undefined;
  try {
    const connection = openConnection(options);
    opened = connection;
    migrateStore(connection, log);
    connection.pragma('foreign_keys = ON');
    const database = drizzle(connection);
    const copier = new Copier(connection);
    chainEarlierEntries(database, clock.now(), log);
    const executor = new Executor(connection, log, options.onQueue ?? (() => {}));
    return {
      issuance: createIssuanceStore(database, executor),
      authorities: createAuthorityStore(database, executor),
      audit: createAuditLog(database, executor),
      adoption: createAdoptionStore(database, executor),
      decisions: createDecisionRecordStore(database, executor),
      denials: createDenialStore(database, executor),
      drains: createDrainStore(database, executor),
      enforcement: createEnforcementStore(database, executor),
      evidence: createEvidenceStore(database, executor),
      operators: createOperatorStore(database, executor),
      policies: createPolicyStore(database, executor),
      rotations: createRotationStore(database, executor),
      revocations: createRevocationStore(database, executor),
      shadows: createShadowStore(database, executor),
      check: () =>
        executor.write(() => {
          const written = { writtenAt: clock.now() };
          database
            .insert(probe)
            .values({ id: 1, ...written })
            .onConflictDoUpdate({ target: probe.id, set: written })
            .run();
        }),
      verify: () => executor.read(() => integrityProblems(connection)),
      copyTo: (path) => copier.copyTo(path),
      async close() {
        executor.close();
        await copier.close();
        connection.close();
      },
    };
  } catch (error) {
    opened?.close();
    throw atFile(storeError(error), file);
  }
}

/** Adds the path for the operator's log; callers never see it. */
function atFile(error: CitadelError, file: string): CitadelError {
  const details = error.details === undefined ? file : `${file}: ${error.details}`;
  return new CitadelError(error.code, error.message, { details, cause: error.cause ?? error });
}
