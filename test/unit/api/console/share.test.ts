import { expect, it } from 'vitest';
import { Share } from '../../../../src/api/console/share.ts';

it('gives each his share of the time, and comes back with it', async () => {
  let now = 0;
  const share = new Share(() => now);
  const take = (milliseconds: number) => () => {
    now += milliseconds;
    return 'done';
  };
  expect(await share.run('ada', take(6_000))).toBe('done');
  await expect(share.run('ada', take(1))).rejects.toMatchObject({ code: 'ResourceExhausted' });
  expect(await share.run('bob', take(1))).toBe('done');
  now += 4_100;
  expect(await share.run('ada', take(1))).toBe('done');
  await expect(
    share.run('cy', () => {
      now += 9_000;
      throw new Error('broken');
    }),
  ).rejects.toThrow('broken');
  await expect(share.run('cy', take(1))).rejects.toMatchObject({ code: 'ResourceExhausted' });
});
