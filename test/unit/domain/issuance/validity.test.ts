import { describe, expect, it } from 'vitest';
import { decideValidity } from '../../../../src/domain/issuance/index.ts';

const hour = 3_600_000;
const policy = { defaultTtl: 24 * hour, maximumTtl: 48 * hour, notBeforeSkew: 120_000 };
const now = new Date('2030-01-01T00:00:00.700Z');
const far = new Date('2040-01-01T00:00:00Z');
const at = (text: string) => new Date(text);

describe('decideValidity', () => {
  it.each([
    ['the default', 0n, far, at('2030-01-02T00:00:00Z')],
    ['what was asked', 3600n, far, at('2030-01-01T01:00:00Z')],
    ['the maximum itself', 172_800n, far, at('2030-01-03T00:00:00Z')],
    ['never past the chain', 3600n, at('2030-01-01T00:30:00Z'), at('2030-01-01T00:30:00Z')],
  ])('gives %s, back-dated, in whole seconds', (_name, seconds, chain, notAfter) => {
    expect(decideValidity(seconds, chain, now, policy)).toEqual({
      notBefore: at('2029-12-31T23:58:00Z'),
      notAfter,
    });
  });

  it.each([
    ['a second above the maximum', 172_801n, /maximum of 2d \(172800 seconds\)/],
    ['a negative TTL', -1n, /negative/],
    ['a TTL that overflows milliseconds', 2n ** 62n, /maximum/],
  ])('refuses %s', (_name, seconds, message) => {
    expect(() => decideValidity(seconds, far, now, policy)).toThrow(
      expect.objectContaining({ code: 'InvalidArgument' }),
    );
    expect(() => decideValidity(seconds, far, now, policy)).toThrow(message);
  });

  it('is unavailable, not wrong, when the chain is about to end', () => {
    expect(() => decideValidity(0n, at('2030-01-01T00:00:05Z'), now, policy)).toThrow(
      expect.objectContaining({ code: 'Unavailable' }),
    );
  });
});
