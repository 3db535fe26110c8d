import { describe, expect, test } from 'vitest';
import { createEvidenceService } from '../../../../src/domain/evidence/index.ts';
import type { MeshSnapshot, ProxyState, Workload } from '../../../../src/domain/mesh/index.ts';
import { composeSnapshot } from '../../../../src/domain/mesh/snapshot.ts';
import type { Store } from '../../../../src/domain/ports/index.ts';
import { type Clock, silentLog } from '../../../../src/kernel/index.ts';
import { memoryStore } from '../../../fakes/memory-store.ts';
import { waitFor } from '../../../parts/index.ts';
import { content, settings, workload } from '../mesh/samples.ts';
import { at, counters, entry } from './samples.ts';

const orders = workload('orders');
const proxy = { proxyKey: 'k', spiffeId: 's', svidSerial: '1', nodeId: 'n', nodeMetadata: {} };

function proxyState(accepted: string | undefined): ProxyState {
  const listener = {
    typeUrl: 'type.googleapis.com/envoy.config.listener.v3.Listener',
    name: 'inbound/8080',
    wanted: 'v1',
    sent: 'v1',
    accepted,
    acceptedAt: accepted === undefined ? undefined : at(1),
    error: undefined,
  };
  return { proxy, workload: orders.id, connectedAt: at(0), isBehind: false, resources: [listener] };
}

/** A service at a time that the test sets, over a mesh of one workload. */
async function start(store: Pick<Store, 'evidence'>, states: readonly ProxyState[] = [proxyState('v1')]) {
  let now = at(100);
  let wake = () => {};
  const clock: Clock = {
    now: () => now,
    sleep: (_milliseconds, signal) =>
      new Promise((resolve, reject) => {
        wake = resolve;
        signal?.addEventListener('abort', () => reject(new Error('stopped')), { once: true });
      }),
  };
  let workloads = [orders];
  const snapshot = (): MeshSnapshot => composeSnapshot(settings, [content(workloads, [])]);
  const mesh = { workloadOf: () => orders, proxiesOf: () => states, snapshot };
  const service = createEvidenceService({ mesh, store: store.evidence, clock, log: silentLog });
  await service.start();
  return {
    service,
    known: () => service.get(orders.id),
    report: (seconds: number, flushed: number, startedAt = at(90)) => {
      now = at(seconds);
      service.report('k', counters({ startedAt, observedAt: now, flushed }));
    },
    set: (seconds: number) => {
      now = at(seconds);
    },
    registry: (...given: readonly Workload[]) => {
      workloads = [...given];
    },
    /** What is done now and then is done. */
    tidy: async () => {
      const slept = wake;
      slept();
      await waitFor(() => wake !== slept);
    },
  };
}

describe('what is known of callers', () => {
  test('counts what comes, and is confirmed by the proxy’s counters', async () => {
    const { service, known, report } = await start(memoryStore());
    report(100, 0);
    service.open(proxy).record([entry({ at: at(101) }), entry({ at: at(102), callerAddress: '10.0.0.8' })]);
    report(105, 2);
    expect(known()).toMatchObject({ confirmedAt: at(105), coverage: { since: at(100) } });
    expect(known()?.ports.get(8080)?.callers).toHaveLength(2);
    await service.close();
  });

  test('keeps ports that are declared by themselves, and however many others together', async () => {
    const { service, known } = await start(memoryStore());
    const stream = service.open(proxy);
    stream.record([entry({ at: at(101) })]);
    for (let port = 1; port <= 65_535; port += 7) stream.record([entry({ port, at: at(102) })]);
    expect([...(known()?.ports.keys() ?? [])]).toEqual([8080, 0]);
    expect(known()?.ports.get(0)?.callers).toMatchObject([{ address: '10.0.0.7', last: at(102) }]);
    expect(known()?.ports.get(8080)?.callers).toMatchObject([{ count: 1 }]);
    await service.close();
  });

  test('a port that is declared no more is one of the others', async () => {
    const { service, known, registry, set, tidy } = await start(memoryStore());
    service.open(proxy).record([entry({ at: at(101) })]);
    registry(workload('orders', { ports: [] }));
    set(800);
    await tidy();
    expect([...(known()?.ports ?? [])]).toMatchObject([[0, { callers: [{ last: at(101), count: 1 }] }]]);
    await service.close();
  });

  test('entries that cannot be read have come, and leave nothing known', async () => {
    const { service, known, report } = await start(memoryStore());
    report(100, 0);
    service.open(proxy).refuse(2, 'a port that is none');
    report(105, 2);
    expect(known()).toMatchObject({
      confirmedAt: at(105),
      coverage: { reason: expect.stringContaining('could not be read') },
    });
    await service.close();
  });

  const day = 86_400;
  test.each([
    { what: 'is gone for longer than a day is forgotten', gone: true, seconds: day + 200, kept: false },
    { what: 'is gone for less is not', gone: true, seconds: day - 200, kept: true },
    { what: 'is there, and silent, is not', gone: false, seconds: 6 * day, kept: true },
    { what: 'is there, and silent for a week, is', gone: false, seconds: 7 * day + 200, kept: false },
  ])('one that $what, while the server runs', async ({ gone, seconds, kept }) => {
    const store = memoryStore();
    const { service, known, registry, report, set, tidy } = await start(store);
    const stream = service.open(proxy);
    stream.record([entry({ at: at(101) })]);
    stream.close();
    report(100, 1);
    await tidy();
    if (gone) registry();
    set(100 + seconds);
    await tidy();
    expect(known() !== undefined).toBe(kept);
    expect((await store.evidence.list()).length).toBe(kept ? 1 : 0);
    if (kept) expect(known()?.ports.get(8080)?.callers).toHaveLength(1);
    await service.close();
  });

  test('one whose proxy still has a stream is not forgotten, and what it brings is kept', async () => {
    const { service, known, registry, set, tidy } = await start(memoryStore());
    const stream = service.open(proxy);
    registry();
    set(100 + 8 * day);
    await tidy();
    stream.record([entry({ at: at(101) })]);
    expect(known()?.ports.get(0)?.callers).toHaveLength(1);
    await service.close();
  });

  test('begins with listeners that were accepted; what no stream speaks for is not kept', async () => {
    const unaccepted = await start(memoryStore(), [proxyState(undefined)]);
    unaccepted.report(100, 0);
    expect(unaccepted.known()?.coverage).toBeUndefined();
    const unconnected = await start(memoryStore(), []);
    unconnected.report(100, 0);
    expect(unconnected.known()).toBeUndefined();
    await Promise.all([unaccepted.service.close(), unconnected.service.close()]);
  });

  test('entries that came before the first report of a process that was started again count for it', async () => {
    const { service, known, report, set } = await start(memoryStore());
    service.open(proxy).record([entry()]);
    report(100, 1);
    set(210);
    service.open(proxy).record([entry(), entry()]);
    report(215, 2, at(205));
    expect(known()).toMatchObject({
      confirmedAt: at(215),
      coverage: { since: at(215), reason: 'its proxy was started again' },
    });
    await service.close();
  });

  test.each([
    { what: 'goes on where nothing was lost meanwhile', flushed: 1, since: at(100) },
    { what: 'begins anew where entries were lost meanwhile', flushed: 3, since: at(220) },
  ])('after a restart of the server it $what', async ({ flushed, since }) => {
    const store = memoryStore();
    const before = await start(store);
    before.report(100, 0);
    const stream = before.service.open(proxy);
    stream.record([entry({ at: at(101) })]);
    stream.close();
    await before.service.close();

    const after = await start(store);
    expect(after.known()?.ports.get(8080)?.callers).toHaveLength(1);
    expect(after.known()?.brokenAt).toEqual(at(100));
    after.report(200, flushed);
    after.set(220);
    expect(after.known()?.coverage?.since).toEqual(since);
    // What the broken stream lost is counted by now.
    expect(after.known()?.brokenAt).toBeUndefined();
    await after.service.close();
  });
});
