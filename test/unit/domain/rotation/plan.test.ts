import { expect, test } from 'vitest';
import { planRotation } from '../../../../src/domain/rotation/index.ts';
import { at, evidence, leaf, report } from './samples.ts';

const minute = 60_000;
const ends = (seen: ReturnType<typeof evidence>) =>
  planRotation(seen, minute, at(10)).map(({ phase, earliestEnd }) => [phase, earliestEnd]);

test('nobody is there: the certificates to come would end after their life', () => {
  expect(ends(evidence([], []))).toStrictEqual([
    ['distribute', at(10)],
    ['drain', at(70)],
    ['retire', at(70)],
  ]);
});

test('who reports is told at once', () => {
  expect(ends(evidence([leaf({ notAfter: at(50) })], [report('only-old')]))).toStrictEqual([
    ['distribute', at(40)],
    ['drain', at(100)],
    ['retire', at(130)],
  ]);
});

test('who does not learns at half of its certificate’s life, twice', () => {
  expect(ends(evidence([leaf({ notAfter: at(100) })], []))).toStrictEqual([
    ['distribute', at(50)],
    ['drain', at(150)],
    ['retire', at(200)],
  ]);
});
