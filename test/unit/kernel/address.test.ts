import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../../src/kernel/index.ts';

describe('parseAddress', () => {
  it.each([
    ['127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
    ['[::1]:8443', { host: '::1', port: 8443 }],
    ['::1:8443', undefined],
    ['localhost', undefined],
    ['a b:1', undefined],
  ])('reads %s', (text, expected) => {
    expect(parseAddress(text)).toEqual(expected);
  });
});
