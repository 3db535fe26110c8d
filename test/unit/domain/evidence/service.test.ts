import { describe, expect, test } from 'vitest';
import { createEvidenceService } from '../../../../src/domain/evidence/index.ts';
import type { ProxyState } from '../../../../src/domain/mesh/index.ts';
import type { Store } from '../../../../src/domain/ports/index.ts';
import { type Clock, silentLog } from '../../../../src/kernel/index.ts';
import { memoryStore } from '../../../fakes/memory-store.ts';
import { workload } from '../mesh/samples.ts';
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
  return { proxy, workload: orders.id, connectedAt: at(0), resources: [listener] };
}

/** A service at a time that the test sets, over a mesh of one workload. */
async function start(store: Pick<Store, 'evidence'>, states: readonly ProxyState[] = [proxyState('v1')]) {
  let now = at(100);
  const clock: Clock = {
    now: () => now,
    sleep: (_milliseconds, signal) =>
      new Promise((_resolve, reject) =>
        signal?.addEventListener('abort', () => reject(new Error('stopped')), { once: true }),
      ),
  };
  const mesh = { workloadOf: () => orders, proxiesOf: () => states };
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
