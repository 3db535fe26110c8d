import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { readAtMost } from '../../../src/kernel/index.ts';

const body = () => Readable.from([Buffer.from('ab'), Buffer.from('cd')]);

it('reads a body up to its limit, and nothing of a longer one', async () => {
  expect((await readAtMost(body(), 4))?.toString()).toBe('abcd');
  const longer = body();
  expect(await readAtMost(longer, 3)).toBeUndefined();
  expect(longer.destroyed).toBe(true);
});
