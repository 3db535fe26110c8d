import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSqliteStore } from '../../../../../src/adapters/store/sqlite/index.ts';
import { verifyRecord } from '../../../../../src/domain/audit/index.ts';
import type { RecordedAuditEvent, Store } from '../../../../../src/domain/ports/index.ts';
import { silentLog, systemClock } from '../../../../../src/kernel/index.ts';
import { at, auditEvent, intent } from '../../../../contract/store-samples.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../../../parts/index.ts';

const rounds = 5;
const open = (file: string) => openSqliteStore({ file, clock: systemClock, log: silentLog });

let directory: TemporaryDirectory;
beforeEach(async () => {
  directory = await temporaryDirectory('durability');
});
afterEach(() => directory[Symbol.asyncDispose]());

test('what was recorded is there after the store is opened again', async () => {
  const file = directory.join('store.db');
  const [resolved, unresolved] = [intent(), intent()];
  const first = await open(file);
  await first.issuance.recordIntent(resolved);
  await first.issuance.recordIntent(unresolved);
  await first.issuance.recordResult({ serial: resolved.serial, state: 'failed', reason: 'x' });
  await first.audit.append(auditEvent());
  await first.authorities.noteBundleContent('a', []);
  await first.close();

  const second = await open(file);
  expect(await second.issuance.get(resolved.serial)).toStrictEqual({
    ...resolved,
    state: 'failed',
    reason: 'x',
  });
  expect(await second.issuance.findUnresolved(at(1), 10)).toStrictEqual([unresolved]);
  await expect(second.issuance.recordIntent(unresolved)).rejects.toMatchObject({ code: 'AlreadyExists' });
  await second.audit.append(auditEvent());
  const { items } = await second.audit.find({ limit: 10 });
  expect(items.map(({ sequence }) => sequence)).toStrictEqual([2, 1]);
  expect(await second.authorities.bundleSequence()).toBe(1n);
  await second.close();
});

test(`kill -9 in the midst of recording loses nothing acknowledged, ${rounds} times`, async () => {
  const file = directory.join('store.db');
  const intents = new Set<string>();
  const results = new Set<string>();
  for (let round = 0; round < rounds; round++) {
    const before = intents.size;
    const child = spawn(
      process.execPath,
      ['--conditions=citadel-source', fileURLToPath(new URL('./recording-child.ts', import.meta.url)), file],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await killAmid(child, randomInt(1, 1500), (line) => {
      const [kind, serial = ''] = line.split(' ');
      (kind === 'i' ? intents : results).add(serial);
    });
    expect(intents.size).toBeGreaterThan(before);

    // At once after the kill: the dead process's lock must not be in the way.
    const store = await open(file);
    for (const serial of intents) expect(await store.issuance.get(serial)).toBeDefined();
    for (const serial of results) expect(await store.issuance.get(serial)).toMatchObject({ state: 'issued' });
    const events = await allEvents(store);
    expect(events.map(({ sequence }) => sequence)).toStrictEqual(
      events.map((_, index) => events.length - index),
    );
    const audited = new Set(events.map(({ target }) => target));
    expect([...results].filter((serial) => !audited.has(serial))).toStrictEqual([]);
    const verdict = await verifyRecord((after) => store.audit.entries(after, 1000), undefined);
    expect(verdict).toMatchObject({ verified: events.length, faults: [] });
    await store.close();
  }
});

/** Kills the child once it has written so many lines; resolves when all that it wrote has been read. */
async function killAmid(child: ChildProcess, lines: number, onLine: (line: string) => void): Promise<void> {
  if (!child.stdout) throw new Error('the child has no stdout');
  const ended = once(child, 'close');
  let seen = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    onLine(line);
    seen += 1;
    if (seen === lines) child.kill('SIGKILL');
  }
  expect(await ended).toStrictEqual([null, 'SIGKILL']);
}

async function allEvents(store: Store): Promise<RecordedAuditEvent[]> {
  const events: RecordedAuditEvent[] = [];
  let pageToken: string | undefined;
  do {
    const page = await store.audit.find({ limit: 1000, ...(pageToken === undefined ? {} : { pageToken }) });
    events.push(...page.items);
    pageToken = page.nextPageToken;
  } while (pageToken !== undefined);
  return events;
}
