import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openSqliteStore } from '../../../../../src/adapters/store/sqlite/index.ts';
import { isCitadelError, silentLog, systemClock } from '../../../../../src/kernel/index.ts';
import { intent } from '../../../../contract/store-samples.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../../../parts/index.ts';

const open = (file: string) => openSqliteStore({ file, clock: systemClock, log: silentLog });

let directory: TemporaryDirectory;
let file: string;
beforeEach(async () => {
  directory = await temporaryDirectory('open');
  file = directory.join('store.db');
});
afterEach(() => directory[Symbol.asyncDispose]());

/** Opens and fails. @returns the error, whose message must not tell the path */
async function refusal(path = file): Promise<unknown> {
  try {
    await (await open(path)).close();
  } catch (error) {
    if (isCitadelError(error)) {
      expect(error.message).not.toContain(directory.path);
      expect(error.details).toContain(path);
    }
    return error;
  }
  throw new Error('the store was opened');
}

async function createStore(rows = 0): Promise<void> {
  const store = await open(file);
  await Promise.all(Array.from({ length: rows }, () => store.issuance.recordIntent(intent())));
  await store.close();
}

function alter(sql: string): void {
  const database = new Database(file);
  database.exec(sql);
  database.close();
}

describe('the file', () => {
  test('is readable and writable by its owner alone, as is its WAL', async () => {
    writeFileSync(file, '', { mode: 0o644 });
    const store = await open(file);
    await store.check();
    for (const path of [file, `${file}-wal`]) expect(statSync(path).mode & 0o777).toBe(0o600);
    await store.close();
  });

  test('is refused to a second store of the same process, and given after the first is closed', async () => {
    const store = await open(file);
    expect(await refusal()).toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringMatching(/another process uses/),
    });
    await store.check();
    await store.close();
    await createStore();
  });

  test('is refused while another process has it, and given at once when that is killed', async () => {
    const child = spawn(
      process.execPath,
      ['--conditions=citadel-source', fileURLToPath(new URL('./recording-child.ts', import.meta.url)), file],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await once(child.stdout, 'data');
    expect(await refusal()).toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringMatching(/another process uses/),
    });
    const closed = once(child, 'close');
    child.stdout.resume();
    child.kill('SIGKILL');
    await closed;
    await createStore();
  });

  test('is refused when it cannot be read', async () => {
    await createStore();
    chmodSync(file, 0o000);
    // Root reads everything: then try as somebody else.
    const root = process.geteuid?.() === 0;
    if (root) {
      chmodSync(directory.path, 0o755);
      process.seteuid?.(65_534);
    }
    try {
      expect(await refusal()).toMatchObject({
        code: 'FailedPrecondition',
        message: expect.stringMatching(/cannot be opened/),
      });
    } finally {
      if (root) process.seteuid?.(0);
    }
  });

  test('is refused where its directory is missing, or where it is a directory', async () => {
    expect(await refusal(directory.join('missing', 'store.db'))).toMatchObject({
      code: 'FailedPrecondition',
    });
    mkdirSync(file);
    expect(await refusal()).toMatchObject({ code: 'FailedPrecondition' });
  });
});

describe('the content', () => {
  test('is refused when it is not a database, and left as it was', async () => {
    const text = 'apiVersion: v1\n'.repeat(1000);
    writeFileSync(file, text, { mode: 0o644 });
    expect(await refusal()).toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringMatching(/not a database/),
    });
    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(statSync(file).mode & 0o777).toBe(0o644);
  });

  test('is refused when it is the database of another program, and left as it was', async () => {
    alter('create table theirs (a)');
    const before = readFileSync(file);
    expect(await refusal()).toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringMatching(/another program/),
    });
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test('is refused when it is cut short', async () => {
    await createStore(500);
    truncateSync(file, Math.floor(statSync(file).size / 2));
    expect(await refusal()).toMatchObject({ code: 'DataLoss', message: expect.stringMatching(/corrupt/) });
  });

  test('is refused when pages in its midst are overwritten', async () => {
    await createStore(500);
    const bytes = readFileSync(file);
    bytes.fill(0xa5, Math.floor(bytes.length / 2), Math.floor(bytes.length / 2) + 8192);
    writeFileSync(file, bytes);
    expect(await refusal()).toMatchObject({ code: 'DataLoss', message: expect.stringMatching(/corrupt/) });
  });

  test('is refused when its rows refer to others that are not there', async () => {
    await createStore();
    alter("pragma foreign_keys = off; insert into authority_intermediate values ('gone', 0, x'00')");
    expect(await refusal()).toMatchObject({ code: 'DataLoss' });
  });

  test('is sound by verify()', async () => {
    const store = await open(file);
    await store.issuance.recordIntent(intent());
    expect(await store.verify()).toStrictEqual([]);
    await store.close();
  });
});

const migrations = readdirSync(
  join(import.meta.dirname, '../../../../../src/adapters/store/sqlite/migrations'),
).filter((name) => name.endsWith('.sql')).length;

describe('the schema', () => {
  test('of a newer program is refused, both versions named, and left as it was', async () => {
    await createStore();
    alter("insert into __drizzle_migrations (hash, created_at) values ('later', 9e15)");
    const before = readFileSync(file);
    expect(await refusal()).toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringContaining(
        `has schema version ${migrations + 1}, this program knows versions up to ${migrations}`,
      ),
    });
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test('of another line is refused', async () => {
    await createStore();
    alter("update __drizzle_migrations set hash = 'other'");
    expect(await refusal()).toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringMatching(/another line/),
    });
  });

  test('is made whole when a process died before its first migration', async () => {
    await createStore();
    const applicationId = new Database(file).pragma('application_id', { simple: true });
    const begun = directory.join('begun.db');
    const database = new Database(begun);
    database.pragma(`application_id = ${Number(applicationId)}`);
    database.close();
    const store = await open(begun);
    await store.issuance.recordIntent(intent());
    await store.close();
  });
});
