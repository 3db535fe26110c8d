import { expect, test } from 'vitest';
import { noMetrics } from '../../../../src/domain/ports/index.ts';
import {
  createRenewalService,
  type HeldLeaf,
  type RenewalWindow,
} from '../../../../src/domain/renewal/index.ts';
import { intent } from '../../../contract/store-samples.ts';
import { memoryStore } from '../../../fakes/memory-store.ts';

const minute = 60_000;
const begin = Date.UTC(2030, 0, 1);

async function world() {
  let now = begin;
  let wake: (() => void)[] = [];
  const superseded = new Set<string>();
  let changed = () => {};
  const load = { inFlight: 0, ended: 0, meanMilliseconds: 0 };
  let putOff = 0;
  const store = memoryStore();
  const service = createRenewalService({
    store: store.issuance,
    authority: {
      isSuperseded: (issuer) => superseded.has(issuer),
      onSuperseded: (listener) => {
        changed = listener;
        return () => {};
      },
    },
    meter: { load: () => load },
    metrics: { ...noMetrics, renewalsPutOff: (count) => (putOff += count) },
    clock: {
      now: () => new Date(now),
      sleep: (_, signal) =>
        new Promise((resolve, reject) => {
          wake.push(resolve);
          signal?.addEventListener('abort', () => reject(new Error('aborted')));
        }),
    },
  });
  return {
    service,
    store,
    load,
    putOff: () => putOff,
    taint: (issuer: string) => {
      superseded.add(issuer);
      changed();
    },
    /** Goes on to this minute, and lets it look. */
    to: async (minutes: number) => {
      now = begin + minutes * minute;
      const woken = wake;
      wake = [];
      for (const each of woken) each();
      await new Promise(setImmediate);
    },
  };
}

const leaf = (proxyKey: string): HeldLeaf => ({
  serial: `serial-of-${proxyKey}`,
  proxyKey,
  issuer: 'old',
  issuedAt: new Date(begin),
  notAfter: new Date(begin + 60 * minute),
});

/** What the holder is told. */
function told(service: Awaited<ReturnType<typeof world>>['service'], held: HeldLeaf) {
  const windows: RenewalWindow[] = [];
  const orders: number[] = [];
  const stop = service.watch(held, {
    window: (window) => windows.push(window),
    reKey: () => orders.push(windows.length),
  });
  const start = () => ((windows.at(-1)?.start.getTime() ?? 0) - begin) / minute;
  return { windows, orders, stop, start };
}

test('a holder that comes back is told the same window, and is counted once', async () => {
  const { service, to } = await world();
  await service.start();
  const first = told(service, leaf('a'));
  first.stop();
  // Also in its midst: it would never come if each reconnection put it off.
  await to(first.start() + 0.2);
  const again = told(service, leaf('a'));
  expect(again.windows).toEqual(first.windows);
  const other = told(service, leaf('b'));
  expect(other.windows).not.toEqual(first.windows);
  await service.close();
});

test('who held leaves before the start is known: others do not come when they do', async () => {
  const { service, store } = await world();
  const record = async (serial: string, principal: string) => {
    const recordedAt = new Date(begin);
    const times = { recordedAt, notBefore: recordedAt, notAfter: new Date(begin + 60 * minute) };
    await store.issuance.recordIntent(
      intent({ serial, proxyKey: serial, principal, issuer: 'old', ...times }),
    );
    await store.issuance.recordResult({ serial, state: 'issued', certificate: new Uint8Array(1) });
  };
  for (let one = 0; one < 100; one++) await record(`0${one}`, 'kubernetes:c/shop/web/uid');
  await record('ff', 'operator:alice');
  await service.start();
  expect(service.progress('old').holders).toBe(100);
  // They are expected at half life, in minutes 29 to 31.
  expect(Math.abs(told(service, leaf('a')).start() - 29.75)).toBeGreaterThan(1);
  await service.close();
});

test('who is about to come to a busy server is asked to come later, and nobody else', async () => {
  const { service, load, to, putOff } = await world();
  await service.start();
  const soon = told(service, leaf('a'));
  const late = told(service, {
    ...leaf('b'),
    issuedAt: new Date(begin + 20 * minute),
    notAfter: new Date(begin + 80 * minute),
  });
  const before = soon.start();
  await to(before - 0.1);
  expect(soon.windows).toHaveLength(1);
  load.inFlight = 100;
  await to(before);
  expect(soon.start()).toBeGreaterThan(before + 4);
  expect(late.windows).toHaveLength(1);
  expect(putOff()).toBe(1);
  await service.close();
});

test('under a tainted authority the window is drawn in, the order is given, and progress is told', async () => {
  const { service, taint } = await world();
  await service.start();
  const [one, two] = [told(service, leaf('a')), told(service, leaf('b'))];
  taint('old');
  expect(one.start()).toBe(2);
  expect([one.orders, two.orders]).toEqual([[2], [2]]);
  service.issued({ ...leaf('a'), serial: 'new', issuer: 'new', issuedAt: new Date(begin + 1) });
  expect(service.progress('old')).toMatchObject({ holders: 1, ordered: 1, waiting: 0, followed: 1 });
  expect(service.progress('old').lastNotAfter).toEqual(leaf('b').notAfter);
  expect(service.progress('new').holders).toBe(1);
  await service.close();
});
