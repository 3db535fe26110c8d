import { expect, test } from 'vitest';
import { every, not, some, type Trilean, unknown } from '../../../../../src/domain/policy/replay/kleene.ts';

const u = unknown('path');
const v = unknown('host');
const both = unknown('path', 'host');

test.each<[readonly Trilean[], Trilean, Trilean]>([
  [[], true, false],
  [[true], true, true],
  [[false], false, false],
  [[u], u, u],
  [[true, false], false, true],
  [[true, u], u, true],
  [[false, u], false, u],
  [[u, v], both, both],
  [[u, v, false], false, both],
  [[u, v, true], both, true],
])('of %j all is %j and one is %j', (values, all, one) => {
  expect(every(values)).toStrictEqual(all);
  expect(some(values)).toStrictEqual(one);
});

test('not turns what is known, and nothing else', () => {
  expect([true, false, u].map(not)).toStrictEqual([false, true, u]);
});
