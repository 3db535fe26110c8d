import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { composeSnapshot } from '../../../../src/domain/mesh/snapshot.ts';
import type { AccessLogEntry, AccessLogSink, Store } from '../../../../src/domain/ports/index.ts';
import { createShadowObserver, type ShadowObserver } from '../../../../src/domain/shadow/index.ts';
import { CitadelError, silentLog, systemClock, systemEntropy } from '../../../../src/kernel/index.ts';
import { memoryStore } from '../../../fakes/memory-store.ts';
import { waitFor } from '../../../parts/index.ts';
import { connected, settings } from '../mesh/samples.ts';

const workload = 'files/shop/orders';
const trial = '0123456789ab';
const entry: AccessLogEntry = {
  workload,
  port: 8080,
  transport: 'mtls',
  callerId: 'spiffe://example.org/ns/shop/sa/web',
  callerAddress: '10.0.0.7',
  method: 'GET',
  path: '/',
  decision: 'allowed',
  unproved: false,
  policy: undefined,
  rule: undefined,
  reason: undefined,
  at: new Date(),
  sampled: false,
  first: true,
  shadow: { trial, outcome: 'denied', step: 'ALLOW', by: undefined },
};

describe('what servers see of a candidate', () => {
  let store: Store;
  let observers: ShadowObserver[];

  const server = (shadows: Store['shadows'] = store.shadows): ShadowObserver => {
    const sink: AccessLogSink = {
      open: () => ({ workload, record: () => {}, refuse: () => {}, close: () => {} }),
    };
    const snapshot = { ...composeSnapshot(settings, []), candidate: { id: 'one', policies: [] } };
    const observer = createShadowObserver({
      mesh: { snapshot: () => snapshot, trialOf: () => trial, onProgress: () => () => {} },
      sink,
      store: shadows,
      entropy: systemEntropy,
      clock: systemClock,
      log: silentLog,
    });
    observers.push(observer);
    return observer;
  };
  const tell = (observer: ShadowObserver, calls: number) =>
    observer.open(connected()).record(Array.from({ length: calls }, () => entry));

  beforeEach(async () => {
    store = memoryStore();
    observers = [];
    await store.policies.propose({ id: 'one', at: new Date(), by: '', reason: '', base: 0, objects: [] });
  });
  afterEach(async () => {
    await Promise.all(observers.map((each) => each.close()));
  });

  it('is added up, whichever of them is asked, and outlives them', async () => {
    const [first, second] = [server(), server()];
    tell(first, 2);
    tell(second, 3);
    await second.seen('one');
    expect((await first.seen('one')).tallies).toMatchObject([{ each: 5, differences: [{ count: 5 }] }]);
    await Promise.all([first.close(), second.close()]);
    const third = server();
    tell(third, 1);
    const { tallies, watches } = await third.seen('one');
    expect(tallies).toMatchObject([{ each: 6 }]);
    // Those that begin within one millisecond are in the order of their random ids.
    expect(watches).toHaveLength(3);
    expect(watches.filter(({ closed }) => !closed)).toHaveLength(1);
  });

  it('is written by itself', async () => {
    const observer = server();
    observer.start();
    tell(observer, 1);
    await waitFor(async () => (await store.shadows.seen('one')).tallies.length === 1, {
      what: 'the count to be written',
    });
  });

  it('is not lost, and not counted twice, where the store is away for a while', async () => {
    let isAway = true;
    const observer = server({
      ...store.shadows,
      seen: (candidate) => store.shadows.seen(candidate),
      add: async (...given) => {
        if (isAway) throw new CitadelError('Unavailable', 'away');
        await store.shadows.add(...given);
      },
    });
    tell(observer, 2);
    await expect(observer.seen('one')).rejects.toMatchObject({ code: 'Unavailable' });
    tell(observer, 1);
    isAway = false;
    expect((await observer.seen('one')).tallies).toMatchObject([{ each: 3 }]);
    expect((await observer.seen('one')).tallies).toMatchObject([{ each: 3 }]);
  });
});
