import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTokenShape, tokenKey } from '../../../../src/adapters/kubernetes/token/token.ts';

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = (claims: unknown, header: unknown = { alg: 'RS256' }) => `${part(header)}.${part(claims)}.c2ln`;

describe('readTokenShape', () => {
  it('reads the expiry', () => {
    expect(readTokenShape(jwt({ exp: 1_700_000_000 }))).toEqual({ expiresAt: new Date(1_700_000_000_000) });
    expect(readTokenShape(jwt({}))).toEqual({});
  });

  it.each([
    ['', 'empty'],
    ['a.b', 'two segments'],
    [`${jwt({})}.x`, 'four segments'],
    [jwt({}).replace('.', '. '), 'a space'],
    [`${jwt({})}\n`, 'a newline'],
    [`${jwt({})}==`, 'padding'],
    [jwt([]), 'claims that are no object'],
    [jwt({}, 'RS256'), 'a header that is no object'],
    [jwt({}, {}), 'no algorithm'],
    [jwt({}, { alg: 'None' }), 'no signature'],
    [jwt({ exp: '1700000000' }), 'an expiry that is a string'],
    [jwt({ exp: 1e300 }), 'an expiry that is no date'],
    [jwt({ pad: 'x'.repeat(16_384) }), 'too long'],
  ])('refuses %j', (token) => {
    expect(readTokenShape(token)).toBeUndefined();
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (token) => (readTokenShape(token), true)));
    fc.assert(fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => (readTokenShape(jwt(a, b)), true)));
  });

  it('names the same token differently in each cluster', () => {
    expect(tokenKey('a', 'token')).not.toBe(tokenKey('b', 'token'));
    expect(tokenKey('a', 'token')).not.toContain('token');
  });
});
