import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openSqliteStore } from '../../../../../src/adapters/store/sqlite/index.ts';
import { verifyRecord } from '../../../../../src/domain/audit/index.ts';
import type { IssuanceIntent, Store } from '../../../../../src/domain/ports/index.ts';
import { silentLog, systemClock } from '../../../../../src/kernel/index.ts';
import { at, auditEvent, intent } from '../../../../contract/store-samples.ts';
import { canMount, smallDisk, type TemporaryDirectory, temporaryDirectory } from '../../../../parts/index.ts';

const ports = { clock: systemClock, log: silentLog };

let directory: TemporaryDirectory;
beforeEach(async () => {
  directory = await temporaryDirectory('full');
});
afterEach(() => directory[Symbol.asyncDispose]());

interface Filled {
  readonly recorded: readonly IssuanceIntent[];
  readonly refused: readonly IssuanceIntent[];
}

/** Records in groups, each intent with an audit event, until a group is refused for want of room. */
async function fill(store: Store): Promise<Filled> {
  const recorded: IssuanceIntent[] = [];
  for (let group = 0; group < 1000; group++) {
    const intents = Array.from({ length: 20 }, () => intent());
    const outcomes = await Promise.allSettled(
      intents.flatMap((one) => [
        store.issuance.recordIntent(one),
        store.audit.append(auditEvent({ target: one.serial })),
      ]),
    );
    const refusals = outcomes.filter((outcome) => outcome.status === 'rejected');
    if (refusals.length === 0) {
      recorded.push(...intents);
      continue;
    }
    expect(refusals).toHaveLength(outcomes.length);
    for (const { reason } of refusals) expect(reason).toMatchObject({ code: 'ResourceExhausted' });
    return { recorded, refused: intents };
  }
  throw new Error('the store took everything');
}

/** All of the groups that were acknowledged, nothing of the one that was refused. */
async function expectWhole(store: Store, { recorded, refused }: Filled): Promise<void> {
  for (const { serial } of recorded) expect(await store.issuance.get(serial)).toBeDefined();
  for (const { serial } of refused) expect(await store.issuance.get(serial)).toBeUndefined();
  const [newest] = (await store.audit.find({ limit: 1 })).items;
  expect(newest?.sequence ?? 0).toBe(recorded.length);
  const verdict = await verifyRecord((after) => store.audit.entries(after, 1000), undefined);
  expect(verdict).toMatchObject({ verified: recorded.length, faults: [] });
}

describe('a store that has reached its size limit', () => {
  test('refuses with ResourceExhausted, records nothing half, and goes on when records were pruned', async () => {
    const options = { file: directory.join('store.db'), maximumBytes: 512 * 1024, ...ports };
    const store = await openSqliteStore(options);
    const filled = await fill(store);
    await expectWhole(store, filled);
    expect(await store.issuance.prune(at(1e6))).toBe(filled.recorded.length);
    for (const one of filled.refused) await store.issuance.recordIntent(one);
    await store.audit.append(auditEvent({ target: 'after' }));
    const [newest] = (await store.audit.find({ limit: 1 })).items;
    expect(newest).toMatchObject({ target: 'after', sequence: filled.recorded.length + 1 });
    expect(await store.verify()).toStrictEqual([]);
    await store.close();
  });
});

// A file system of its own needs root; the size limit above shows the same behaviour to everybody else.
describe.runIf(canMount())('a store on a full disk', () => {
  test('refuses with ResourceExhausted, records nothing half, and recovers when room is back', async () => {
    await using disk = await smallDisk(2 * 1024 * 1024);
    const file = join(disk.path, 'store.db');
    let store = await openSqliteStore({ file, ...ports });
    disk.fill(256 * 1024);
    const filled = await fill(store);
    await expectWhole(store, filled);

    disk.free();
    await store.check();
    for (const one of filled.refused) await store.issuance.recordIntent(one);
    await store.close();
    store = await openSqliteStore({ file, ...ports });
    await expectWhole(store, { recorded: filled.recorded, refused: [] });
    for (const { serial } of filled.refused) expect(await store.issuance.get(serial)).toBeDefined();
    await store.close();
  });

  test('cannot be opened anew, and says why', async () => {
    await using disk = await smallDisk(2 * 1024 * 1024);
    disk.fill(4096);
    await expect(openSqliteStore({ file: join(disk.path, 'store.db'), ...ports })).rejects.toMatchObject({
      code: 'ResourceExhausted',
    });
  });
});
