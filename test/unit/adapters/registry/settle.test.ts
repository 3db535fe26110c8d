import { expect, test } from 'vitest';
import { type Sighting, settleFiles } from '../../../../src/adapters/registry/settle.ts';

const at = (text: string | undefined, since: number, changing = since): Sighting => ({
  text,
  since,
  changing,
});

test.each<
  [
    string,
    Record<string, string | null>,
    Record<string, string>,
    Record<string, Sighting>,
    string[],
    Record<string, Sighting>,
  ]
>([
  ['one that is as before', { a: '1' }, { a: '1' }, {}, [], {}],
  ['a new one', {}, { a: '1' }, {}, [], { a: at('1', 1000) }],
  ['a changed one', { a: '1' }, { a: '2' }, {}, [], { a: at('2', 1000) }],
  ['one that is gone', { a: '1' }, {}, {}, [], { a: at(undefined, 1000) }],
  ['one that is the same for a while', { a: '1' }, { a: '2' }, { a: at('2', 800) }, ['a'], {}],
  ['one that is not for long enough', { a: '1' }, { a: '2' }, { a: at('2', 801) }, [], { a: at('2', 801) }],
  [
    'one that was seen before the clock was set back',
    { a: '1' },
    { a: '2' },
    { a: at('2', 9000) },
    ['a'],
    {},
  ],
  ['one that goes on changing', { a: '1' }, { a: '3' }, { a: at('2', 500) }, [], { a: at('3', 1000, 500) }],
  ['one that is gone for a while', { a: '1' }, {}, { a: at(undefined, 800) }, ['a'], {}],
  ['one that is back as it was', { a: '1' }, { a: '1' }, { a: at('', 900) }, [], {}],
  ['one that came and went', {}, {}, { a: at('1', 900) }, [], {}],
  ['one whose text was not known', { a: null }, { a: '1' }, { a: at('1', 800) }, ['a'], {}],
  ['one whose text was not known, and that is gone', { a: null }, {}, { a: at(undefined, 800) }, ['a'], {}],
  [
    'one beside another that changes',
    { a: '1', b: '1' },
    { a: '2', b: '2' },
    { b: at('2', 1) },
    ['b'],
    { a: at('2', 1000) },
  ],
])('of files %s', (_what, known, seen, before, settled, unsettled) => {
  const result = settleFiles(
    new Map(Object.entries(known)),
    new Map(Object.entries(seen)),
    new Map(Object.entries(before)),
    { now: 1000, settle: 200 },
  );
  expect(result.settled).toEqual(settled);
  expect(Object.fromEntries(result.unsettled)).toEqual(unsettled);
});
