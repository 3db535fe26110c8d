import { describe, expect, test } from 'vitest';
import { looksLikeIdentifier } from '../../../../../src/domain/policy/suggest/identifiers.ts';
import { generalise } from '../../../../../src/domain/policy/suggest/templates.ts';

describe('what looks like an identifier', () => {
  test.each([
    '0',
    '42',
    'order-1042',
    'u_1234',
    'INV0001',
    '2026-11-28',
    '0b5c1e9a-4a2d-4d5e-9f00-1234567890ab',
    '0B5C1E9A-4A2D-4D5E-9F00-1234567890AB',
    'deadbeef01',
    '01ARZ3NDEKTSV4RRFFQ69G5FAV',
    'dGhpcy1pcy0xLXRva2VuLTI3',
  ])('%s does', (segment) => expect(looksLikeIdentifier(segment)).toBe(true));

  test.each([
    '',
    'v1',
    'v12',
    'orders',
    'deadbeef',
    'facade',
    'oauth2',
    'index.html',
    'internationalization',
    'a-very-long-word-of-many-parts',
    '{*}',
    '..',
    '4*',
  ])('%j does not', (segment) => expect(looksLikeIdentifier(segment)).toBe(false));
});

describe('paths in a policy', () => {
  const patterns = (paths: readonly string[], variety = 3) =>
    generalise(paths, variety).map(({ pattern, paths: of }) => `${pattern} ${of.length}`);

  test.each<[string, readonly string[], readonly string[]]>([
    [
      'a few stay as they are',
      ['/orders/1', '/orders/2', '/health'],
      ['/health 1', '/orders/1 1', '/orders/2 1'],
    ],
    [
      'many are one segment',
      ['/orders/1', '/orders/2', '/orders/3', '/orders/new'],
      ['/orders/new 1', '/orders/{*} 3'],
    ],
    [
      'what is behind them stays apart',
      ['/o/1/items', '/o/2/items', '/o/3/owner', '/o/3'],
      ['/o/{*} 1', '/o/{*}/items 2', '/o/{*}/owner 1'],
    ],
    ['two places', ['/o/1/i/7', '/o/2/i/8', '/o/3/i/9', '/o/3/i/10'], ['/o/{*}/i/{*} 4']],
    [
      'each beginning counts by itself',
      ['/a/1', '/a/2', '/b/1', '/b/2'],
      ['/a/1 1', '/a/2 1', '/b/1 1', '/b/2 1'],
    ],
    ['the root', ['/'], ['/ 1']],
    ['a path twice is one', ['/1', '/1', '/2'], ['/1 1', '/2 1']],
  ])('%s', (_, paths, expected) => expect(patterns(paths)).toStrictEqual(expected));

  test('what no template can say stays exact', () => {
    const long = 'x'.repeat(90);
    expect(patterns([`/${long}/1`, `/${long}/2`, `/${long}/3`])).toStrictEqual([
      `/${long}/1 1`,
      `/${long}/2 1`,
      `/${long}/3 1`,
    ]);
  });

  test('ten thousand paths take no time to speak of', () => {
    const paths = Array.from({ length: 10_000 }, (_, index) => `/${index % 7}/a${index}/${index}`);
    expect(generalise(paths, 3).length).toBeGreaterThan(0);
  });
});
