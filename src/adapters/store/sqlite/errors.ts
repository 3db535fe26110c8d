import Database from 'better-sqlite3';
import { CitadelError, type ErrorCode, isCitadelError, toCitadelError } from '../../../kernel/index.ts';

/** By SQLite's primary result code (https://www.sqlite.org/rescode.html); extended codes begin with it. */
const meanings: readonly (readonly [prefix: string, code: ErrorCode, message: string])[] = [
  ['SQLITE_FULL', 'ResourceExhausted', 'the store has no room left: free disk space or raise its limit'],
  [
    'SQLITE_NOTADB',
    'FailedPrecondition',
    'the file is not a database, or its beginning is damaged: restore it from a backup, or name another file',
  ],
  ['SQLITE_CORRUPT', 'DataLoss', 'the store is corrupt: restore it from a backup'],
  ['SQLITE_BUSY', 'FailedPrecondition', 'another process uses this store: each server needs its own'],
  [
    'SQLITE_CANTOPEN',
    'FailedPrecondition',
    'the store cannot be opened: check that it exists and who owns it',
  ],
  ['SQLITE_PERM', 'FailedPrecondition', 'the store cannot be opened: check who owns it'],
  [
    'SQLITE_READONLY',
    'FailedPrecondition',
    'the store is read-only: check its permissions and its file system',
  ],
  ['SQLITE_IOERR', 'Unavailable', 'the store cannot be read or written: check its disk'],
  ['SQLITE_NOMEM', 'ResourceExhausted', 'the store ran out of memory'],
];

/** After one of these, what else is in the same transaction is lost too. */
const fatal = [
  'SQLITE_FULL',
  'SQLITE_IOERR',
  'SQLITE_NOMEM',
  'SQLITE_CORRUPT',
  'SQLITE_NOTADB',
  'SQLITE_READONLY',
];

/** Drizzle wraps what some of its calls throw. */
function sqliteCode(error: unknown): string | undefined {
  for (let e = error; e instanceof Error; e = e.cause) if (e instanceof Database.SqliteError) return e.code;
  return undefined;
}

export function isFatal(error: unknown): boolean {
  const code = sqliteCode(error);
  return code !== undefined && fatal.some((prefix) => code.startsWith(prefix));
}

/** Whether a row with that key is there already. */
export function isDuplicate(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === 'SQLITE_CONSTRAINT_UNIQUE' || code === 'SQLITE_CONSTRAINT_PRIMARYKEY';
}

/** Says in Citadel's words what SQLite threw; the original stays in `cause`. */
export function storeError(error: unknown): CitadelError {
  const code = sqliteCode(error);
  if (code === undefined || isCitadelError(error)) return toCitadelError(error);
  const meaning = meanings.find(([prefix]) => code.startsWith(prefix));
  if (!meaning) return toCitadelError(error);
  return new CitadelError(meaning[1], meaning[2], { cause: error, details: code });
}
