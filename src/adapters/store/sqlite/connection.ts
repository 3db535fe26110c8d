import { chmodSync, closeSync, openSync } from 'node:fs';
import Database from 'better-sqlite3';
import { CitadelError } from '../../../kernel/index.ts';

/** Marks a file as ours, so that we never migrate another program's database. "CTDL" in ASCII. */
const applicationId = 0x4354444c;
/** How long to wait for a predecessor that is closing the file. */
const busyMilliseconds = 2000;
const journalLimitBytes = 64 * 1024 * 1024;

const inMemory = ':memory:';

export interface ConnectionOptions {
  /** A path, or `:memory:`. */
  readonly file: string;
  /** The store never grows past this. */
  readonly maximumBytes?: number;
}

/**
 * Opens the file, held by this process alone until it is closed: an exclusive lock of the operating system, which a
 * killed process does not leave behind.
 * @throws CitadelError FailedPrecondition when it is in use, not ours or out of reach; DataLoss when it is damaged
 */
export function openConnection(options: ConnectionOptions): Database.Database {
  const { file } = options;
  let database: Database.Database | undefined;
  try {
    if (file !== inMemory) createFile(file);
    database = new Database(file, { timeout: busyMilliseconds, fileMustExist: file !== inMemory });
    // Before the first access, so that the WAL's index lives in our memory and nobody else can join.
    database.pragma('locking_mode = EXCLUSIVE');
    claim(database);
    if (file !== inMemory) {
      protectFile(file);
      database.pragma('journal_mode = WAL');
    }
    database.pragma('synchronous = FULL');
    database.pragma(`journal_size_limit = ${journalLimitBytes}`);
    if (options.maximumBytes !== undefined) limitSize(database, options.maximumBytes);
    const problems = integrityProblems(database);
    if (problems.length > 0)
      throw new CitadelError('DataLoss', 'the store is corrupt: restore it from a backup', {
        details: problems.join('; '),
      });
    return database;
  } catch (error) {
    database?.close();
    throw error;
  }
}

/** What `PRAGMA quick_check` and `foreign_key_check` find; empty for a sound store. */
export function integrityProblems(database: Database.Database): string[] {
  const quick = database.prepare<[], string>('pragma quick_check(10)').pluck().all();
  const keys = database.prepare<[], { table: string }>('pragma foreign_key_check').all();
  return [
    // One finding may have several lines.
    ...quick.flatMap((finding) => finding.split('\n')).filter((line) => line !== 'ok'),
    ...keys.map(({ table }) => `a row of ${table} refers to one that is not there`),
  ];
}

/**
 * Creates the file for us alone. An existing one is never opened here: closing any descriptor of a file drops all
 * locks that this process has on it (https://www.sqlite.org/howtocorrupt.html section 2.2).
 */
function createFile(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if (errorNumber(error) !== 'EEXIST') throw unreachable(error);
  }
}

/** Only once the file is known to be ours, and before SQLite gives its mode to the WAL. */
function protectFile(file: string): void {
  try {
    chmodSync(file, 0o600);
  } catch (error) {
    throw unreachable(error);
  }
}

/** Writing the mark takes the write lock of an empty file; reading it takes the lock of any other. */
function claim(database: Database.Database): void {
  const found = database.pragma('application_id', { simple: true });
  if (found === applicationId) return;
  const tables = database.prepare<[], number>('select count(*) from sqlite_schema').pluck().get();
  if (found !== 0 || tables !== 0)
    throw new CitadelError('FailedPrecondition', 'the file is a database of another program');
  database.pragma(`application_id = ${applicationId}`);
}

function limitSize(database: Database.Database, bytes: number): void {
  const pageSize = Number(database.pragma('page_size', { simple: true }));
  database.pragma(`max_page_count = ${Math.max(1, Math.floor(bytes / pageSize))}`);
}

function errorNumber(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

function unreachable(error: unknown): CitadelError {
  const code = errorNumber(error);
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new CitadelError('ResourceExhausted', 'the store has no room left: free disk space', {
      cause: error,
    });
  return new CitadelError(
    'FailedPrecondition',
    'the store cannot be opened: check that its directory exists and who owns it',
    { cause: error },
  );
}
