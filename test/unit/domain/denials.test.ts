import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createDenials, type Denials } from '../../../src/domain/denials/index.ts';
import { composeSnapshot } from '../../../src/domain/mesh/snapshot.ts';
import type { AccessLogEntry, AccessLogSink, Store } from '../../../src/domain/ports/index.ts';
import { CitadelError, silentLog, systemEntropy } from '../../../src/kernel/index.ts';
import { memoryStore } from '../../fakes/memory-store.ts';
import { at, entry } from './evidence/samples.ts';
import { connected, content, settings, workload } from './mesh/samples.ts';

const limits = { inAll: 6, perWorkload: 4, perCaller: 2 };
const orders = workload('orders');
const hour = 3_600;

function denied(id: string | undefined, changes: Partial<AccessLogEntry> = {}): AccessLogEntry {
  const unknown = { remoteAddress: undefined, calleeAddress: undefined };
  return entry({
    workload: orders.id,
    decision: 'denied',
    denial: { id, step: 'DENY', inexact: [], ...unknown },
    ...changes,
  });
}

describe('denials', () => {
  let store: Store;
  let time: Date;
  let isAway: boolean;
  let servers: Denials[];

  beforeEach(() => {
    [store, time, isAway, servers] = [memoryStore(), at(0), false, []];
  });
  afterEach(() => Promise.all(servers.map((each) => each.close())));

  function server(): Denials {
    const sink: AccessLogSink = {
      open: () => ({ workload: orders.id, record: () => {}, refuse: () => {}, close: () => {} }),
    };
    const snapshot = composeSnapshot(settings, [content([orders], [], [])]);
    const denials = createDenials({
      mesh: { snapshot: () => snapshot },
      sink,
      decidedBy: () => undefined,
      store: {
        get: (id) => store.denials.get(id),
        find: (query) => store.denials.find(query),
        prune: (before) => store.denials.prune(before),
        save: async (...given) => {
          if (isAway) throw new CitadelError('Unavailable', 'away');
          await store.denials.save(...given);
        },
      },
      entropy: systemEntropy,
      clock: { now: () => time, sleep: () => Promise.resolve() },
      log: silentLog,
      limits,
    });
    servers.push(denials);
    return denials;
  }
  const tell = (denials: Denials, ...entries: readonly AccessLogEntry[]) =>
    denials.open(connected()).record(entries);
  const known = async (denials: Denials, ...ids: readonly string[]) => {
    const found = await Promise.all(ids.map((id) => denials.get(id)));
    return ids.filter((_, index) => found[index] !== undefined);
  };

  test('are known to every server, with what held then; what was allowed is not', async () => {
    const [first, second] = [server(), server()];
    tell(first, entry(), denied('a', { path: '/x' }));
    expect(await first.get('a')).toMatchObject({
      entry: { path: '/x', denial: { id: 'a' } },
      serviceAccount: 'orders',
      policiesVersion: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(await second.get('a')).toMatchObject({ entry: { path: '/x' } });
    expect(await second.get('b')).toBeUndefined();
    expect((await second.find({ limit: 10 })).items.map((each) => each.entry.path)).toEqual(['/x']);
  });

  test('get a name where their callers could be given none', async () => {
    const denials = server();
    tell(denials, denied(undefined), denied(undefined));
    const { items } = await denials.find({ limit: 10 });
    const names = items.map((each) => each.entry.denial.id);
    for (const name of names)
      expect(name).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(new Set(names).size).toBe(2);
  });

  test('the first word counts: whoever has learned a name cannot make it mean something else', async () => {
    const [first, second] = [server(), server()];
    tell(first, denied('a', { path: '/1' }), denied('a', { path: '/2' }));
    expect(await first.get('a')).toMatchObject({ entry: { path: '/1' } });
    tell(second, denied('a', { path: '/3' }));
    expect(await second.get('a')).toMatchObject({ entry: { path: '/1' } });
  });

  test('who floods a workload pushes out its own alone', async () => {
    const denials = server();
    tell(denials, denied('other', { callerAddress: '10.0.0.1' }));
    for (let index = 0; index < 100; index += 1) tell(denials, denied(`f${index}`));
    expect(await known(denials, 'other', 'f97', 'f98', 'f99')).toEqual(['other', 'f98', 'f99']);
  });

  test('who has proved nothing pushes out nobody who has', async () => {
    const denials = server();
    tell(denials, denied('proved', { callerId: 'spiffe://example.org/ns/shop/sa/web' }));
    for (let index = 0; index < 100; index += 1)
      tell(
        denials,
        denied(`m${index}`, { callerAddress: `10.0.1.${index}`, workload: `files/shop/${index}` }),
      );
    expect(await known(denials, 'proved', 'm93', 'm94', 'm99')).toEqual(['proved', 'm94', 'm99']);
  });

  test('go after a day', async () => {
    const denials = server();
    tell(denials, denied('a'));
    expect(await known(denials, 'a')).toEqual(['a']);
    time = at(24 * hour);
    expect(await known(denials, 'a')).toEqual([]);
    expect((await denials.find({ limit: 10 })).items).toEqual([]);
  });

  test('wait, within limits, for a store that is away', async () => {
    const denials = server();
    isAway = true;
    tell(denials, denied('a'));
    expect(await known(denials, 'a')).toEqual(['a']);
    isAway = false;
    expect((await denials.find({ limit: 10 })).items).toHaveLength(1);
  });
});
