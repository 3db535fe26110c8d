import { expect, test } from 'vitest';
import { shareOut } from '../../../../src/domain/jwks/share.ts';

type Entry = readonly [id: string, ...namespaces: readonly string[]];

const wanted = (entries: readonly Entry[]) =>
  new Map(
    entries.map(([id, ...namespaces]) => [
      id,
      {
        id,
        location: { kind: 'jwks' as const, uri: id },
        timeout: 1,
        namespaces: new Set(namespaces),
      },
    ]),
  );

test.each<[string, number, readonly Entry[], readonly string[]]>([
  [
    'enough for all',
    3,
    [
      ['1', 'a'],
      ['2', 'a'],
      ['3', 'b'],
    ],
    ['1', '2', '3'],
  ],
  [
    'one each, whoever comes first',
    2,
    [
      ['1', 'a'],
      ['2', 'a'],
      ['3', 'b'],
    ],
    ['1', '3'],
  ],
  [
    'what others leave',
    3,
    [
      ['1', 'a'],
      ['2', 'a'],
      ['3', 'a'],
      ['4', 'b'],
    ],
    ['1', '4', '2'],
  ],
  [
    'what two want counts for whom it is the first',
    2,
    [
      ['1', 'a'],
      ['2', 'a', 'b'],
      ['3', 'a'],
    ],
    ['1', '2'],
  ],
  ['no place', 0, [['1', 'a']], []],
])('the places go round: %s', (_what, places, entries, expected) => {
  expect([...shareOut(wanted(entries), places).keys()]).toEqual(expected);
});
