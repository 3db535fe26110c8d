import { describe, expect, it, vi } from 'vitest';
import { debounce } from '../../../../src/domain/mesh/index.ts';
import type { Clock } from '../../../../src/kernel/index.ts';

/** A clock that stands until the test moves it, one millisecond at a time. */
function steppedClock() {
  let time = 0;
  const sleepers = new Set<{ readonly at: number; readonly wake: () => void }>();
  const clock: Clock = {
    now: () => new Date(time),
    sleep: (milliseconds, signal) =>
      new Promise((resolve, reject) => {
        const sleeper = { at: time + milliseconds, wake: resolve };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', () => {
          sleepers.delete(sleeper);
          reject(signal.reason);
        });
      }),
  };
  return {
    clock,
    time: () => time,
    pass: async (milliseconds: number) => {
      for (const end = time + milliseconds; time < end; ) {
        time += 1;
        for (const sleeper of sleepers) {
          if (sleeper.at > time) continue;
          sleepers.delete(sleeper);
          sleeper.wake();
        }
        await new Promise(setImmediate);
      }
    },
  };
}

/** Times at which the work is done, and what was told of it. */
function start(work: () => void = () => {}) {
  const { clock, time, pass } = steppedClock();
  const runs: number[] = [];
  const failed = vi.fn();
  const run = () => {
    runs.push(time());
    work();
  };
  return { pass, runs, failed, debounced: debounce(run, { quiet: 100, atMost: 1000, clock, failed }) };
}

describe('debounce, with 100 ms of quiet and 1 s at most', () => {
  it.each([
    { what: 'one call', calls: 1, every: 0, wait: 3000, runs: [100] },
    { what: '50 calls at once', calls: 50, every: 0, wait: 3000, runs: [100] },
    { what: '50 calls, 10 ms apart', calls: 50, every: 10, wait: 3000, runs: [590] },
    { what: 'calls with quiet between them', calls: 3, every: 150, wait: 3000, runs: [100, 250, 400] },
    { what: 'calls without end', calls: 250, every: 10, wait: 0, runs: [1000, 2000] },
    { what: 'calls just within the quiet', calls: 25, every: 99, wait: 0, runs: [1000, 2089] },
  ])('$what: done at $runs', async ({ calls, every, wait, runs: expected }) => {
    const { debounced, pass, runs } = start();
    for (let count = 0; count < calls; count += 1) {
      debounced.call();
      await pass(every);
    }
    await pass(wait);
    expect(runs).toEqual(expected);
  });

  it('tells what the work threw, and does what is asked for next', async () => {
    const broken = new Error('broken');
    const work = vi.fn(() => {});
    work.mockImplementationOnce(() => {
      throw broken;
    });
    const { debounced, failed, pass, runs } = start(work);
    debounced.call();
    await pass(100);
    expect(failed.mock.calls).toEqual([[broken]]);
    debounced.call();
    await pass(100);
    expect(runs).toEqual([100, 200]);
    expect(failed).toHaveBeenCalledTimes(1);
  });

  it('does it now, with what was asked for, and no second time', async () => {
    const { debounced, pass, runs } = start();
    debounced.call();
    await pass(50);
    debounced.now();
    await pass(2000);
    expect(runs).toEqual([50]);
  });

  it('does nothing any more once it is closed', async () => {
    const { debounced, pass, runs } = start();
    debounced.call();
    debounced.close();
    debounced.call();
    debounced.now();
    await pass(2000);
    expect(runs).toEqual([]);
  });
});
