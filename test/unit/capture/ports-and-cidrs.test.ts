import { describe, expect, test } from 'vitest';
import { parseCidrs } from '../../../src/capture/cidrs.ts';
import { parsePort, parsePorts } from '../../../src/capture/ports.ts';
import { isCitadelError } from '../../../src/kernel/index.ts';

const refusal = (act: () => unknown) => {
  try {
    act();
  } catch (error) {
    return isCitadelError(error) ? error.code : error;
  }
  return 'none';
};

describe('ports', () => {
  test.each([
    ['80', [[80, 80]]],
    [
      '443,80',
      [
        [80, 80],
        [443, 443],
      ],
    ],
    [
      '8000-8010, 9000',
      [
        [8000, 8010],
        [9000, 9000],
      ],
    ],
    ['1-100,50-200,201', [[1, 201]]],
    ['80,80', [[80, 80]]],
    ['1-65535', [[1, 65_535]]],
  ])('%s', (text, ranges) => {
    expect(parsePorts(text)).toEqual(ranges.map(([from, to]) => ({ from, to })));
  });

  test.each(['', '0', '65536', '80,', '-1', '90-80', '0x50', '8e1', '80 81', '80;', '80 }', '*', '٨٠'])(
    'are not in %j',
    (text) => {
      expect(refusal(() => parsePorts(text))).toBe('OutOfRange');
    },
  );

  test('are limited in number', () => {
    expect(refusal(() => parsePorts(Array.from({ length: 257 }, (_, at) => at + 1).join()))).toBe(
      'OutOfRange',
    );
  });

  test.each(['80,81', '80-81', ''])('one port is not %j', (text) => {
    expect(refusal(() => parsePort(text))).toBe('OutOfRange');
  });
});

describe('networks', () => {
  test.each([
    ['10.0.0.0/8', ['10.0.0.0/8'], []],
    ['192.0.2.7', ['192.0.2.7/32'], []],
    ['0.0.0.0/0', ['0.0.0.0/0'], []],
    ['2001:DB8:0:0::/32,::1', [], ['::1/128', '2001:db8::/32']],
    ['::/0', [], ['::/0']],
    ['::ffff:10.0.0.1', [], ['::ffff:a00:1/128']],
    // What lies within another, before or behind it, is left out; of two equal ones, one.
    ['10.1.0.0/16,10.0.0.0/8,10.2.3.4', ['10.0.0.0/8'], []],
    ['10.0.0.0/8,10.0.0.0/8', ['10.0.0.0/8'], []],
    ['2001:db8::/32, 2001:db8:1::/48', [], ['2001:db8::/32']],
    ['192.0.2.0/24,10.0.0.0/8', ['10.0.0.0/8', '192.0.2.0/24'], []],
  ])('%s', (text, ipv4, ipv6) => {
    expect(parseCidrs(text)).toEqual({ ipv4, ipv6 });
  });

  test.each([
    '',
    '10.0.0.0/33',
    '10.0.0.1/8',
    '10.0.0/8',
    '::/129',
    '2001:db8::1/32',
    'fe80::1%eth0',
    'example.org',
    '10.0.0.0/8,',
    '10.0.0.0/08x',
    '10.0.0.0/8 }',
    '010.0.0.0/8',
  ])('are not in %j', (text) => {
    expect(refusal(() => parseCidrs(text))).toBe('OutOfRange');
  });
});
