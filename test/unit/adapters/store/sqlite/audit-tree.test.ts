import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openSqliteStore } from '../../../../../src/adapters/store/sqlite/index.ts';
import {
  encodeEntry,
  Frontier,
  leafHash,
  textsOf,
  verifyRecord,
} from '../../../../../src/domain/audit/index.ts';
import type { Store } from '../../../../../src/domain/ports/index.ts';
import { silentLog, systemClock } from '../../../../../src/kernel/index.ts';
import { auditEvent, intent } from '../../../../contract/store-samples.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../../../parts/index.ts';

let directory: TemporaryDirectory;
let file: string;
beforeEach(async () => {
  directory = await temporaryDirectory('tree');
  file = directory.join('store.db');
});
afterEach(() => directory[Symbol.asyncDispose]());

const open = () => openSqliteStore({ file, clock: systemClock, log: silentLog });
const verify = (store: Store) => verifyRecord((after) => store.audit.entries(after, 100), undefined);
const events = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => auditEvent({ target: `t${from + index}` }));

/** As a store was before it had a tree. */
function forgetHashes(from = 1): void {
  const database = new Database(file);
  database.exec(`update audit set hashes = null where sequence >= ${from}`);
  database.close();
}

describe('the hash tree of a store', () => {
  test('is over all entries in their order, however they were grouped', async () => {
    const store = await open();
    const frontier = new Frontier();
    for (const [index, count] of [1, 2, 500, 3, 1].entries()) {
      const group = events(index * 1000, count);
      await Promise.all(group.map((event) => store.audit.append(event)));
      for (const event of group)
        frontier.append(leafHash(encodeEntry(frontier.size + 1, event.at.getTime(), textsOf(event))));
    }
    expect(await store.audit.head()).toEqual({ size: 507, root: frontier.root() });
    expect(await verify(store)).toMatchObject({ verified: 507, faults: [] });
    await store.close();
  });

  test('keeps nothing of writes that were taken back with their group', async () => {
    const store = await open();
    await store.audit.append(auditEvent());
    const taken = intent();
    await store.issuance.recordIntent(taken);
    for (let round = 0; round < 20; round += 1) {
      // The duplicate takes the whole group back; then each is done by itself.
      const group = await Promise.allSettled([
        store.audit.append(auditEvent({ target: `a${round}` })),
        store.issuance.recordIntent(taken),
        store.audit.append(auditEvent({ target: `b${round}` })),
      ]);
      expect(group.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    }
    expect(await verify(store)).toMatchObject({ verified: 41, faults: [] });
    await store.close();
  });

  test('keeps nothing of an entry that could not be stored, alone or among others', async () => {
    await (await open()).close();
    const database = new Database(file);
    database.exec(
      "create trigger refuse before insert on audit when new.target = 'refused' begin select raise(abort, 'no'); end",
    );
    database.close();
    const store = await open();
    const broken = auditEvent({ target: 'refused' });
    for (let round = 0; round < 5; round += 1) {
      await expect(store.audit.append(broken)).rejects.toThrow();
      const group = await Promise.allSettled(
        [broken, ...events(round * 10, 2), broken].map((each) => store.audit.append(each)),
      );
      expect(group.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    }
    expect(await verify(store)).toMatchObject({ verified: 10, faults: [] });
    await store.close();
  });

  test('goes on in another process where it was', async () => {
    for (let round = 0; round < 9; round += 1) {
      const store = await open();
      await Promise.all(events(round * 10, round).map((event) => store.audit.append(event)));
      await store.close();
    }
    const store = await open();
    expect(await verify(store)).toMatchObject({ verified: 36, faults: [] });
    await store.close();
  });

  test('takes in what was recorded before there was one, and says so', async () => {
    const first = await open();
    await Promise.all(events(0, 700).map((event) => first.audit.append(event)));
    const before = await first.audit.head();
    await first.close();
    for (const from of [1, 300]) {
      // From the middle: as the first start left it when it was killed.
      const database = new Database(file);
      database.exec('delete from audit where sequence > 700');
      database.close();
      forgetHashes(from);
      const second = await open();
      expect(await verify(second)).toMatchObject({ verified: 701, faults: [] });
      expect(await second.audit.rootAt(700)).toEqual(before.root);
      const [begin] = (await second.audit.find({ limit: 1 })).items;
      expect(begin).toMatchObject({ action: 'audit.begin', sequence: 701, details: { earlier: '700' } });
      await second.close();
      const third = await open();
      expect((await third.audit.head()).size).toBe(701);
      await third.close();
    }
  });

  test('is not made over a record that lacks entries', async () => {
    const first = await open();
    await Promise.all(events(0, 5).map((event) => first.audit.append(event)));
    await first.close();
    const database = new Database(file);
    database.exec('delete from audit where sequence = 3');
    database.close();
    forgetHashes();
    await expect(open()).rejects.toMatchObject({ code: 'DataLoss' });
  });
});
