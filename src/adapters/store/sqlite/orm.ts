import { createRequire } from 'node:module';

/**
 * Drizzle, by require. For each file of an ES module package Node makes the package's whole `exports` anew, twice, and
 * Drizzle's is 170 KB for a hundred files: its CommonJS form leaves the server 45 MiB smaller.
 */
const require = createRequire(import.meta.url);

const core: typeof import('drizzle-orm') = require('drizzle-orm');
export const { and, asc, desc, eq, gt, gte, inArray, isNull, lt, lte, or, sql } = core;

const sqlite: typeof import('drizzle-orm/sqlite-core') = require('drizzle-orm/sqlite-core');
export const { blob, check, index, integer, primaryKey, sqliteTable, text, uniqueIndex } = sqlite;

const driver: typeof import('drizzle-orm/better-sqlite3') = require('drizzle-orm/better-sqlite3');
export const { drizzle } = driver;

const migrator: typeof import('drizzle-orm/migrator') = require('drizzle-orm/migrator');
export const { readMigrationFiles } = migrator;

const driverMigrator: typeof import('drizzle-orm/better-sqlite3/migrator') =
  require('drizzle-orm/better-sqlite3/migrator');
export const { migrate } = driverMigrator;

export type { SQL } from 'drizzle-orm';
export type { BetterSQLite3Database } from 'drizzle-orm/better-sqlite3';
