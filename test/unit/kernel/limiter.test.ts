import { describe, expect, it } from 'vitest';
import { Limiter } from '../../../src/kernel/index.ts';

const never = new AbortController().signal;

function gate(): { opened: Promise<void>; open: () => void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

describe('Limiter', () => {
  it('runs so many at once, lets so many wait, and refuses the rest', async () => {
    const limiter = new Limiter(2, 1, 'too many');
    const { opened, open } = gate();
    let running = 0;
    let most = 0;
    const task = async () => {
      running += 1;
      most = Math.max(most, running);
      await opened;
      running -= 1;
    };
    const accepted = [1, 2, 3].map(() => limiter.run(never, task));
    await expect(limiter.run(never, task)).rejects.toMatchObject({ code: 'Unavailable' });
    open();
    await Promise.all(accepted);
    expect(most).toBe(2);
  });

  it('gives up a place in the queue when the caller leaves', async () => {
    const limiter = new Limiter(1, 1, 'too many');
    const { opened, open } = gate();
    const first = limiter.run(never, () => opened);
    const leaving = new AbortController();
    const second = limiter.run(leaving.signal, async () => expect.fail('ran though its caller had left'));
    leaving.abort();
    await expect(second).rejects.toMatchObject({ code: 'Unavailable' });
    const third = limiter.run(never, async () => 'ran');
    open();
    await first;
    expect(await third).toBe('ran');
  });

  it('frees the place of a task that failed', async () => {
    const limiter = new Limiter(1, 0, 'too many');
    await expect(limiter.run(never, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    expect(await limiter.run(never, async () => 1)).toBe(1);
  });
});
