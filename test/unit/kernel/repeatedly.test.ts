import { expect, it } from 'vitest';
import { type Clock, repeatedly } from '../../../src/kernel/index.ts';

/** Sleeps until it is woken, and not a moment longer than until the signal. */
function sleepyClock(): { readonly clock: Clock; readonly wake: () => void; readonly slept: number[] } {
  let wake: () => void = () => undefined;
  const slept: number[] = [];
  const sleep = (milliseconds: number, signal?: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      slept.push(milliseconds);
      wake = resolve;
      signal?.addEventListener('abort', () => reject(new Error('aborted')));
    });
  return { clock: { now: () => new Date(0), sleep }, wake: () => wake(), slept };
}

it('waits before each time, and does it once more when it is stopped', async () => {
  const { clock, wake, slept } = sleepyClock();
  let [begun, done] = [0, 0];
  const work = async () => {
    begun += 1;
    await Promise.resolve();
    done += 1;
  };
  const repetition = repeatedly(clock, 7, work);
  expect(begun).toBe(0);
  wake();
  await expect.poll(() => slept).toEqual([7, 7]);
  expect(done).toBe(1);
  await repetition.stop();
  expect([begun, done]).toEqual([2, 2]);
  expect(slept).toEqual([7, 7]);
});
