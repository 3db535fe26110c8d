import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { openSqliteStore } from '../../src/adapters/store/sqlite/index.ts';
import { silentLog, systemClock } from '../../src/kernel/index.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../parts/index.ts';
import { storeContract } from './store.ts';

const ports = { clock: systemClock, log: silentLog };
let directory: TemporaryDirectory;
beforeAll(async () => {
  directory = await temporaryDirectory('store');
});
afterAll(() => directory[Symbol.asyncDispose]());

storeContract('SQLite file', () => openSqliteStore({ file: directory.join(`${randomUUID()}.db`), ...ports }));
storeContract('SQLite in memory', () => openSqliteStore({ file: ':memory:', ...ports }));
