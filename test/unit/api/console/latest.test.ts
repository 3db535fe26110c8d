import { expect, it } from 'vitest';
import { Latest } from '../../../../src/api/console/latest.ts';

const until = (signal: AbortSignal) =>
  new Promise<string>((_, reject) => signal.addEventListener('abort', () => reject(new Error('ended'))));
const never = new AbortController().signal;

it('lets the next question of an owner end the one before it, and nobody else’s', async () => {
  const latest = new Latest();
  const first = latest.run('ada', never, until);
  const other = latest.run('bob', never, () => Promise.resolve('bob'));
  expect(await latest.run('ada', never, () => Promise.resolve('second'))).toBe('second');
  await expect(first).rejects.toMatchObject({ code: 'Cancelled' });
  expect(await other).toBe('bob');
});

it('ends with whoever asked', async () => {
  const asker = new AbortController();
  const asked = new Latest().run('ada', asker.signal, until);
  asker.abort();
  await expect(asked).rejects.toThrow('ended');
});
