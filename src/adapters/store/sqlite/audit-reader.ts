import { existsSync } from 'node:fs';
import Database from 'better-sqlite3';
import type { AuditLog } from '../../../domain/ports/index.ts';
import { CitadelError } from '../../../kernel/index.ts';
import { AuditTree } from './audit-tree.ts';
import { storeError } from './errors.ts';
import { drizzle } from './orm.ts';

/** The audit record of a store that no server has open, read and nothing else. */
export interface AuditReader extends Pick<AuditLog, 'entries'> {
  close(): void;
}

/** @throws CitadelError FailedPrecondition when it is in use, no store, or was never given a hash tree */
export function openAuditReader(file: string): AuditReader {
  // better-sqlite3 tells of a missing directory by an error of its own kind.
  if (!existsSync(file)) throw new CitadelError('FailedPrecondition', `there is no store ${file}`);
  let database: Database.Database | undefined;
  try {
    database = new Database(file, { readonly: true, fileMustExist: true });
    const opened = database;
    const columns = opened.prepare<[], string>("select name from pragma_table_info('audit')").pluck().all();
    if (columns.length === 0) throw new CitadelError('FailedPrecondition', `${file} is no store of a server`);
    if (!columns.includes('hashes'))
      throw new CitadelError(
        'FailedPrecondition',
        `the audit record in ${file} has no hash tree yet: it gets one when a server of this version opens it`,
      );
    const tree = new AuditTree(drizzle(opened));
    return {
      entries: async (after, limit) => {
        try {
          return tree.entries(after, limit);
        } catch (error) {
          throw storeError(error);
        }
      },
      close: () => opened.close(),
    };
  } catch (error) {
    database?.close();
    throw storeError(error);
  }
}
