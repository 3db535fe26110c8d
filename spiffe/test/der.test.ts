import { describe, expect, it } from 'vitest';
import { DerReader, readBitString, readBoolean, readOid, readSmallInteger, readTime } from '../src/der.ts';
import { tlv } from './der-writer.ts';
import { errorOf } from './vectors.ts';

const element = (hex: string) => {
  const reader = new DerReader(Buffer.from(hex, 'hex'));
  const read = reader.read();
  reader.end();
  return read;
};
const refused = (run: () => unknown) => expect(errorOf(run).rule).toBe('der');

describe('DER', () => {
  it.each([
    ['indefinite length', '308000'],
    ['long form of a short length', '30810100'],
    ['long form with a leading zero', `3082008000${'00'.repeat(127)}`],
    ['length of five bytes', '30850000000001'],
    ['end after the input', '300501'],
    ['no length', '30'],
    ['nothing', ''],
    ['tag of several bytes', '1f8100'],
    ['bytes after the end', '300000'],
  ])('refuses an element with %s', (_what, hex) => {
    refused(() => element(hex));
  });

  it('reads lengths of one to three bytes', () => {
    for (const size of [0, 127, 128, 255, 256, 65_535]) {
      expect(element(tlv(0x04, Buffer.alloc(size)).toString('hex')).value).toHaveLength(size);
    }
  });

  it('refuses an element of another type than asked for', () => {
    refused(() => new DerReader(Buffer.from('0500', 'hex')).read(0x30));
  });

  it('knows true and false alone', () => {
    expect(readBoolean(element('0101ff'))).toBe(true);
    expect(readBoolean(element('010100'))).toBe(false);
    for (const hex of ['010101', '0100', '0102ffff']) refused(() => readBoolean(element(hex)));
  });

  it('reads small integers in their shortest form', () => {
    expect(readSmallInteger(element('020100'))).toBe(0);
    expect(readSmallInteger(element('02020080'))).toBe(128);
    expect(readSmallInteger(element('02047fffffff'))).toBe(2 ** 31 - 1);
    for (const hex of ['0200', '02020001', '0202ff80', '0201ff', '02050100000000']) {
      refused(() => readSmallInteger(element(hex)));
    }
  });

  it('reads bit strings whose unused bits are zero', () => {
    expect(readBitString(element('03020780'))).toEqual({ bytes: Buffer.from([0x80]), unused: 7 });
    expect(readBitString(element('030100')).bytes).toHaveLength(0);
    for (const hex of ['0300', '030101', '03020801', '030207c0']) refused(() => readBitString(element(hex)));
  });

  it.each([
    ['550403', '2.5.4.3'],
    ['2a864886f70d01010b', '1.2.840.113549.1.1.11'],
    ['00', '0.0'],
    ['4f', '1.39'],
    ['50', '2.0'],
    ['8837', '2.999'],
    // An arc of 128 bits, as 2.25 has.
    ['6983ffffffffffffffffffffffffffffffffff7f', `2.25.${(2n ** 128n - 1n).toString()}`],
  ])('reads the object identifier %s', (hex, dotted) => {
    expect(readOid(element(tlv(0x06, Buffer.from(hex, 'hex')).toString('hex')))).toBe(dotted);
  });

  it.each(['', '8001', '5586', '558001'])('refuses the object identifier %j', (hex) => {
    refused(() => readOid(element(tlv(0x06, Buffer.from(hex, 'hex')).toString('hex'))));
  });

  it.each([
    [0x17, '491231235959Z', '2049-12-31T23:59:59.000Z'],
    [0x17, '500101000000Z', '1950-01-01T00:00:00.000Z'],
    [0x18, '20500101000000Z', '2050-01-01T00:00:00.000Z'],
    [0x18, '99991231235959Z', '9999-12-31T23:59:59.000Z'],
    [0x17, '240229000000Z', '2024-02-29T00:00:00.000Z'],
  ])('reads the time %i %s', (tag, text, iso) => {
    expect(readTime({ tag, value: Buffer.from(text), raw: Buffer.alloc(0) }).toISOString()).toBe(iso);
  });

  it.each([
    [0x17, '230229000000Z'],
    [0x17, '231301000000Z'],
    [0x17, '230101240000Z'],
    [0x17, '230101000060Z'],
    [0x17, '2301010000Z'],
    [0x17, '230101000000+0100'],
    [0x18, '20230101000000.5Z'],
    [0x18, '230101000000Z'],
    [0x04, '20230101000000Z'],
  ])('refuses the time %i %s', (tag, text) => {
    refused(() => readTime({ tag, value: Buffer.from(text), raw: Buffer.alloc(0) }));
  });
});
