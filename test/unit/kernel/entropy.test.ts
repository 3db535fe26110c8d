import { describe, expect, it } from 'vitest';
import { systemEntropy } from '../../../src/kernel/index.ts';

describe('systemEntropy', () => {
  it.each([1, 16, 32, 64, 65, 5000])('gives %i bytes, never the same', (length) => {
    const seen = new Set<string>();
    const rounds = length === 1 ? 1 : 2000;
    for (let round = 0; round < rounds; round++) {
      const bytes = systemEntropy.bytes(length);
      expect(bytes).toHaveLength(length);
      seen.add(Buffer.from(bytes).toString('hex'));
    }
    expect(seen.size).toBe(rounds);
  });

  it('gives bytes that later calls do not change', () => {
    const taken = systemEntropy.bytes(16);
    const before = Buffer.from(taken).toString('hex');
    for (let round = 0; round < 1000; round++) systemEntropy.bytes(16);
    expect(Buffer.from(taken).toString('hex')).toBe(before);
    expect(taken.some((byte) => byte !== 0)).toBe(true);
  });
});
