import { expect, test } from 'vitest';
import { systemResolve } from '../../../../src/adapters/jwks/resolve.ts';

test('a name is looked up once at a time, and anew afterwards', async () => {
  const resolve = systemResolve();
  const first = resolve('localhost');
  expect(resolve('localhost')).toBe(first);
  expect(await first).toContain('127.0.0.1');
  expect(resolve('localhost')).not.toBe(first);
});
