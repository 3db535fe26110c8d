import { expect, test } from 'vitest';
import { planCanary } from '../../../../src/domain/rotation/canary.ts';
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

test('a canary comes first, and is watched before the others are told', () => {
  const seen = evidence([leaf({ notAfter: at(50) })], [report('only-old')]);
  const order = { selectors: ['sa=web'], watch: 600_000, allowedFailures: 2 };
  const [first, ...others] = planRotation(seen, minute, at(10), planCanary('', order, seen));
  expect(first).toStrictEqual({
    phase: 'canary',
    waitsFor: expect.stringMatching(
      /^1 proxies chosen by sa=web, until each has used it for 600 s.* 2 failed/,
    ),
    earliestEnd: at(640),
  });
  expect(others.map(({ phase, earliestEnd }) => [phase, earliestEnd])).toStrictEqual([
    ['distribute', at(670)],
    ['drain', at(730)],
    ['retire', at(760)],
  ]);
});

test('who does not learns at half of its certificate’s life, twice', () => {
  expect(ends(evidence([leaf({ notAfter: at(100) })], []))).toStrictEqual([
    ['distribute', at(50)],
    ['drain', at(150)],
    ['retire', at(200)],
  ]);
});
