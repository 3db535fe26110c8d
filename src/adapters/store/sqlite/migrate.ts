import { fileURLToPath } from 'node:url';
import type Database from 'better-sqlite3';
import { CitadelError, type Log } from '../../../kernel/index.ts';
import { drizzle, migrate, readMigrationFiles } from './orm.ts';

/** Beside this module, in the sources and in a build alike. */
const migrationsFolder = fileURLToPath(new URL('./migrations', import.meta.url));
/** Where drizzle's migrator keeps what it applied. */
const migrationsTable = '__drizzle_migrations';

/**
 * Brings the store to this program's schema, in one transaction. A schema's version is the number of its migrations.
 * @throws CitadelError FailedPrecondition when the store's schema is newer, or has another history
 */
export function migrateStore(database: Database.Database, log: Log): void {
  const known = readMigrationFiles({ migrationsFolder }).map(({ hash }) => hash);
  const applied = appliedMigrations(database);
  if (applied.length > known.length)
    throw new CitadelError(
      'FailedPrecondition',
      `the store has schema version ${applied.length}, this program knows versions up to ${known.length}: ` +
        'run the newer program, or restore a backup made by this one',
    );
  if (applied.some((hash, index) => hash !== known[index]))
    throw new CitadelError(
      'FailedPrecondition',
      `the store has schema version ${applied.length} of another line than this program's version ${known.length}`,
    );
  if (applied.length === known.length) return;
  log.info('migrating the store', { from: applied.length, to: known.length });
  migrate(drizzle(database), { migrationsFolder, migrationsTable });
}

/** Their hashes, in order. */
function appliedMigrations(database: Database.Database): string[] {
  const table = database.prepare(`select 1 from sqlite_schema where name = '${migrationsTable}'`).get();
  if (!table) return [];
  return database.prepare<[], string>(`select hash from ${migrationsTable} order by rowid`).pluck().all();
}
