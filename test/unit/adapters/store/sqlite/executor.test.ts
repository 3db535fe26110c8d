import Database from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Executor } from '../../../../../src/adapters/store/sqlite/executor.ts';
import { CitadelError, silentLog } from '../../../../../src/kernel/index.ts';

let database: Database.Database;
let executor: Executor;
beforeEach(() => {
  database = new Database(':memory:');
  database.exec('create table number (value integer primary key)');
  executor = new Executor(database, silentLog, () => {});
});
afterEach(() => {
  database.close();
});

const insert = (value: number) => database.prepare('insert into number values (?)').run(value);
const values = () => database.prepare('select value from number order by value').pluck().all();

test('commits the writes of one turn in one transaction and settles them after it', async () => {
  const seen: string[] = [];
  const writes = [1, 2, 3].map(async (value) => {
    const result = await executor.write(() => {
      seen.push(`run ${value} ${database.inTransaction}`);
      insert(value);
      return value * 10;
    });
    seen.push(`settled ${result} ${database.inTransaction}`);
  });
  expect(values()).toStrictEqual([]);
  await Promise.all(writes);
  expect(seen).toStrictEqual([
    'run 1 true',
    'run 2 true',
    'run 3 true',
    'settled 10 false',
    'settled 20 false',
    'settled 30 false',
  ]);
});

test('undoes all of a write that fails half way, and nothing of its neighbours', async () => {
  const outcomes = await Promise.allSettled([
    executor.write(() => insert(1).changes),
    executor.write(() => {
      insert(2);
      throw new CitadelError('FailedPrecondition', 'half way');
    }),
    executor.write(() => insert(3).changes),
  ]);
  expect(outcomes).toMatchObject([
    { status: 'fulfilled', value: 1 },
    { status: 'rejected', reason: { code: 'FailedPrecondition' } },
    { status: 'fulfilled', value: 1 },
  ]);
  expect(values()).toStrictEqual([1, 3]);
});

test.each([
  ['SQLITE_FULL', 'ResourceExhausted'],
  ['SQLITE_IOERR_FSYNC', 'Unavailable'],
  ['SQLITE_CORRUPT_INDEX', 'DataLoss'],
])('refuses the whole group after %s', async (sqliteCode, code) => {
  const outcomes = await Promise.allSettled([
    executor.write(() => insert(1)),
    executor.write(() => {
      throw new Database.SqliteError('injected', sqliteCode);
    }),
  ]);
  expect(outcomes).toMatchObject([
    { status: 'rejected', reason: { code } },
    { status: 'rejected', reason: { code } },
  ]);
  expect(values()).toStrictEqual([]);
  await executor.write(() => insert(2));
  expect(values()).toStrictEqual([2]);
});

test('refuses a write that finds the queue full, and takes writes again afterwards', async () => {
  const queued = Array.from({ length: 65_536 }, (_, value) => executor.write(() => insert(value)));
  await expect(executor.write(() => insert(-1))).rejects.toMatchObject({ code: 'Unavailable' });
  await Promise.all(queued);
  await executor.write(() => insert(-1));
  expect(values()).toHaveLength(65_537);
});

test('commits on close what is queued, then refuses', async () => {
  const queued = executor.write(() => insert(1));
  executor.close();
  expect(values()).toStrictEqual([1]);
  await queued;
  await expect(executor.write(() => insert(2))).rejects.toMatchObject({ code: 'Unavailable' });
  await expect(executor.read(values)).rejects.toMatchObject({ code: 'Unavailable' });
});
