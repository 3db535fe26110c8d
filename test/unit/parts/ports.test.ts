import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { freePort } from '../../parts/index.ts';

describe('a free port', () => {
  it('is given once, also to those that ask at the same time', async () => {
    const ports = await Promise.all(Array.from({ length: 200 }, freePort));
    expect(new Set(ports).size).toBe(200);
  });

  it('is none that somebody listens on, nor one that the system gives to connections', async () => {
    const taken = (await freePort()) + 1;
    await using server = createServer().listen(taken, '127.0.0.1');
    await once(server, 'listening');
    const port = await freePort();
    expect(port).not.toBe(taken);
    expect(port).toBeLessThan(32_768);
  });
});
