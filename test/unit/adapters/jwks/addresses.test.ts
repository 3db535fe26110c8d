import { describe, expect, test } from 'vitest';
import { faultOfAddress } from '../../../../src/adapters/jwks/addresses.ts';

const strict = { allowLoopback: false, allowPrivate: false };
const open = { allowLoopback: true, allowPrivate: true };
const verdict = (address: string) =>
  [strict, { ...strict, allowLoopback: true }, { ...strict, allowPrivate: true }, open]
    .map((policy) => (faultOfAddress(address, policy) === undefined ? '+' : '-'))
    .join('');

describe('addresses, by default, with loopback, with private ones, with both', () => {
  test.each([
    ['93.184.215.14', '++++'],
    ['2606:2800:21f:cb07:6820:80da:af6b:8b2c', '++++'],
    ['172.32.0.1', '++++'],
    ['127.0.0.1', '-+-+'],
    ['127.255.255.254', '-+-+'],
    ['::1', '-+-+'],
    ['::ffff:127.0.0.1', '-+-+'],
    ['::ffff:7f00:1', '-+-+'],
    ['10.1.2.3', '--++'],
    ['172.16.0.1', '--++'],
    ['172.31.255.255', '--++'],
    ['192.168.1.1', '--++'],
    ['100.64.0.1', '--++'],
    ['::ffff:10.0.0.1', '--++'],
    ['fd12:3456::1', '--++'],
    ['fc00::1', '--++'],
    ['169.254.169.254', '----'],
    ['169.254.1.1', '----'],
    ['::ffff:169.254.169.254', '----'],
    ['::ffff:a9fe:a9fe', '----'],
    ['fd00:ec2::254', '----'],
    ['100.100.100.200', '----'],
    ['fe80::1', '----'],
    ['febf::1', '----'],
    ['0.0.0.0', '----'],
    ['0.1.2.3', '----'],
    ['::', '----'],
    ['::127.0.0.1', '----'],
    ['64:ff9b::7f00:1', '----'],
    ['64:ff9b::a9fe:a9fe', '----'],
    ['2002:7f00:1::', '----'],
    ['2001:0:1::1', '----'],
    ['fd00:ec2::23', '----'],
    ['fd20:ce::254', '----'],
    ['168.63.129.16', '----'],
    ['::ffff:168.63.129.16', '----'],
    ['::ffff:8.8.8.8', '++++'],
    ['::ffff:0:7f00:1', '----'],
    ['100::1', '----'],
    ['4000::1', '----'],
    ['fe00::1', '----'],
    ['224.0.0.1', '----'],
    ['255.255.255.255', '----'],
    ['ff02::1', '----'],
    ['example.org', '----'],
    ['', '----'],
  ])('%s: %s', (address, expected) => {
    expect(verdict(address)).toBe(expected);
  });

  test('say which setting would allow them', () => {
    expect(faultOfAddress('10.0.0.1', strict)).toBe(
      '10.0.0.1 is private, which mesh.jwks.allowPrivate would allow',
    );
    expect(faultOfAddress('169.254.169.254', open)).toBe('169.254.169.254 is a metadata service');
  });
});
