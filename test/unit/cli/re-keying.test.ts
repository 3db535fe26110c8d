import { expect, test } from 'vitest';
import { describeReKeying, reKeyingCell } from '../../../src/cli/commands/re-keying.ts';
import { Authority, ReKeying } from '../../../src/gen/citadel/v1/operator.ts';

const now = new Date(1_000_000);
const half = ReKeying.create({
  superseded: true,
  holders: 620,
  waiting: 400,
  ordered: 100,
  followed: 500,
  perSecond: 99.6,
  expectedEnd: new Date(1_005_020),
  lastNotAfter: new Date(3_600_000),
});

test.each([
  ['not tainted', undefined, ''],
  ['without a successor', ReKeying.create({ superseded: false, holders: 3 }), 'no other signs yet'],
  ['under way', half, '500 of 1000, about 6s left'],
  [
    'at its beginning',
    { ...half, followed: 0, expectedEnd: undefined },
    '0 of 500, the time left is not known yet',
  ],
  ['done but for others', { ...half, waiting: 0, ordered: 0, holders: 120 }, '120 come by themselves'],
  ['done', { ...half, waiting: 0, ordered: 0, holders: 0 }, 'done'],
])('an authority that is %s', (_name, reKeying, cell) => {
  expect(reKeyingCell(Authority.create({ reKeying }), now)).toBe(cell);
});

test('in sentences', () => {
  expect(describeReKeying(half, now)).toEqual([
    '500 agents have made new keys; 500 are to come, 400 of them not told yet: 100 a second of late, about 6s left.',
    '120 workloads hold no stream to the server (pilot-agent, ztunnel, agents that are away): they come when they renew, by 1970-01-01T01:00:00Z at the latest.',
  ]);
  expect(describeReKeying({ ...half, waiting: 0, ordered: 0, holders: 0 }, now)).toEqual([
    '500 agents have made new keys; none is left to be told.',
    'No workload holds a certificate under it.',
  ]);
});
