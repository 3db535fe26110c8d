import { expect, test } from 'vitest';
import { runMaintenance } from '../../../src/app/maintenance.ts';
import { CitadelError, silentLog } from '../../../src/kernel/index.ts';

/** Sleeps of each loop, resolved one after the other as if time went by; ends after so much of it. */
function fastClock(until: number, stop: AbortController) {
  let now = 0;
  const sleeping: { at: number; wake: () => void }[] = [];
  const next = () => {
    const first = sleeping.toSorted((a, b) => a.at - b.at)[0];
    if (!first) return;
    sleeping.splice(sleeping.indexOf(first), 1);
    now = first.at;
    if (now > until) stop.abort();
    first.wake();
  };
  return {
    now: () => new Date(now),
    sleep: (milliseconds: number) =>
      new Promise<void>((wake) => {
        sleeping.push({ at: now + milliseconds, wake });
        setImmediate(next);
      }),
  };
}

test('what waits for its key’s home backs off, and holds up nobody else', async () => {
  const stop = new AbortController();
  const ticks = { rotation: 0, authority: 0, revocations: 0, certificates: 0 };
  const away = async () => {
    ticks.rotation += 1;
    throw new CitadelError('Unavailable', 'the key home is away');
  };
  await runMaintenance({
    rotation: { tick: away },
    authority: {
      onBundleChange: () => () => true,
      tick: async () => {
        ticks.authority += 1;
      },
    },
    revocations: {
      tick: async () => {
        ticks.revocations += 1;
      },
    },
    drains: { tick: async () => {} },
    certificates: {
      tick: async () => {
        ticks.certificates += 1;
      },
    },
    clock: fastClock(600_000, stop),
    entropy: { bytes: (length) => new Uint8Array(length), fraction: () => 0.999 },
    log: silentLog,
    signal: stop.signal,
  });
  // Ten minutes: the ones that are well every second, the other about once a minute.
  expect(ticks.authority).toBeGreaterThan(590);
  expect(ticks.revocations).toBeGreaterThan(590);
  expect(ticks.certificates).toBeGreaterThan(590);
  expect(ticks.rotation).toBeGreaterThan(10);
  expect(ticks.rotation).toBeLessThan(25);
});
