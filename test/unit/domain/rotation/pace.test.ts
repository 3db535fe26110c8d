import { expect, test } from 'vitest';
import { createPace } from '../../../../src/domain/rotation/pace.ts';
import { at } from './samples.ts';

/** Looks once a second for a minute, each of which takes so long. @returns how many were made */
async function looks(milliseconds: number): Promise<number> {
  let now = at(0).getTime();
  let made = 0;
  const pace = createPace({ now: () => new Date(now) });
  const end = now + 60_000;
  while (now < end) {
    now += 1000;
    await pace.look(async () => {
      made += 1;
      now += milliseconds;
    });
  }
  return made;
}

test('looks are as rare as they are dear', async () => {
  expect(await looks(0)).toBe(60);
  expect(await looks(20)).toBeGreaterThan(55);
  // 100 ms a look: every 2 s at most.
  expect(await looks(100)).toBeLessThan(30);
  // However dear, every 10 s or so, or nobody would see its end.
  expect(await looks(2_000)).toBeGreaterThanOrEqual(5);
});

test('a clock that is put back does not put looks off', async () => {
  let now = at(1_000).getTime();
  let made = 0;
  const pace = createPace({ now: () => new Date(now) });
  const look = () =>
    pace.look(async () => {
      made += 1;
      now += 400;
    });
  await look();
  now = at(0).getTime();
  await look();
  expect(made).toBe(2);
});
