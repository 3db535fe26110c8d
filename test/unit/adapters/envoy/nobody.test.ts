import { ECDH, hash } from 'node:crypto';
import { expect, test } from 'vitest';
import { nobodysKeys } from '../../../../src/adapters/envoy/authorization/nobody.ts';

/** The first point that the rule gives, as hexadecimal x and y. */
function derive(): readonly [string, string] {
  for (let count = 0; ; count += 1) {
    const x = hash('sha256', `citadel: the key of nobody ${count}`, 'hex');
    try {
      const point = String(ECDH.convertKey(`02${x}`, 'prime256v1', 'hex', 'hex', 'uncompressed'));
      return [point.slice(2, 66), point.slice(66)];
    } catch {
      // Half of all x are on the curve.
    }
  }
}

test('the key that stands for none is derived, so that nobody can have its private part', () => {
  const coordinate = (hex: string) => Buffer.from(hex, 'hex').toString('base64url');
  const [x, y] = derive();
  expect(JSON.parse(nobodysKeys)).toEqual({
    keys: [{ kty: 'EC', crv: 'P-256', kid: 'nobody', x: coordinate(x), y: coordinate(y) }],
  });
});
