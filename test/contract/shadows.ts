import { expect, test } from 'vitest';
import type { Store } from '../../src/domain/ports/index.ts';
import type { ShadowDifference, ShadowTally, ShadowWatch } from '../../src/domain/shadow/index.ts';
import { at } from './store-samples.ts';

const difference = (rest: Partial<ShadowDifference> = {}): ShadowDifference => ({
  workload: 'files/shop/orders',
  becomes: 'denied',
  callerId: 'spiffe://example.org/ns/shop/sa/web',
  policy: undefined,
  rule: undefined,
  step: 'ALLOW',
  by: undefined,
  count: 1,
  first: at(1),
  last: at(2),
  examples: [
    { at: at(2), port: 8080, callerAddress: '10.0.0.7', method: 'GET', path: '/a' },
    { at: at(2), port: 9090, callerAddress: '10.0.0.7', method: undefined, path: undefined },
  ],
  ...rest,
});

const tally = (rest: Partial<ShadowTally> = {}): ShadowTally => ({
  workload: 'files/shop/orders',
  trial: '0123456789ab',
  each: 3,
  sampled: 2,
  different: 1,
  unknown: 1,
  last: at(2),
  differences: [difference()],
  more: 0,
  earlier: 0,
  ...rest,
});

const watch = (rest: Partial<ShadowWatch> = {}): ShadowWatch => ({
  id: 'a',
  since: at(0),
  until: at(2),
  closed: false,
  ...rest,
});

/** What the part of a Store does that keeps what was seen of a candidate. */
export function shadowContract(store: () => Store): void {
  const propose = async (id: string) => {
    const { revision } = await store().policies.current();
    await store().policies.propose({ id, at: at(0), by: 'ann', reason: '', base: revision, objects: [] });
  };

  test('adds up what servers have counted of the candidate that is tried', async () => {
    await propose('one');
    const { shadows } = store();
    expect(await shadows.seen('one')).toStrictEqual({ watches: [], tallies: [] });
    await shadows.add('one', watch(), [tally(), tally({ workload: 'files/shop/web', differences: [] })]);
    await shadows.add('one', watch({ id: 'b', since: at(1), until: at(4), closed: true }), []);
    const own = { by: { namespace: 'shop', name: 'known', rule: 1 }, policy: 'shop/cron', rule: 0 };
    await shadows.add('one', watch({ until: at(5) }), [
      tally({ last: at(4), differences: [difference({ count: 2, last: at(4) }), difference(own)] }),
    ]);
    const { examples } = difference();
    expect(await shadows.seen('one')).toStrictEqual({
      watches: [watch({ until: at(5) }), watch({ id: 'b', since: at(1), until: at(4), closed: true })],
      tallies: [
        tally({
          each: 6,
          sampled: 4,
          different: 2,
          unknown: 2,
          last: at(4),
          differences: [
            difference({ count: 3, last: at(4), examples: [...examples, ...examples].slice(-3) }),
            difference(own),
          ],
        }),
        tally({ workload: 'files/shop/web', differences: [] }),
      ],
    });
  });

  test('begins anew for a workload for which other policies are compared', async () => {
    await propose('one');
    await store().shadows.add('one', watch(), [tally()]);
    const other = tally({ trial: 'ba9876543210', each: 1, sampled: 0, differences: [] });
    await store().shadows.add('one', watch(), [other]);
    expect((await store().shadows.seen('one')).tallies).toStrictEqual([{ ...other, earlier: 5 }]);
  });

  test('keeps no more kinds of differences than there is room for, and counts their calls', async () => {
    await propose('one');
    const of = (workload: string, count: number) =>
      tally({
        workload,
        differences: Array.from({ length: count }, (_, index) =>
          difference({ workload, rule: index, count: 2 }),
        ),
      });
    await store().shadows.add('one', watch(), [of('w', 201)]);
    const many = Array.from({ length: 10 }, (_, index) => of(`x${index}`, 190));
    await store().shadows.add('one', watch(), many);
    const { tallies } = await store().shadows.seen('one');
    expect(tallies.map(({ differences, more }) => [differences.length, more])).toStrictEqual([
      [200, 2],
      ...Array.from({ length: 9 }, () => [190, 0]),
      [90, 200],
    ]);
  });

  test('knows nothing of a candidate that is gone, and takes nothing for it', async () => {
    await propose('one');
    await store().shadows.add('one', watch(), [tally()]);
    await store().policies.withdraw('one');
    await propose('two');
    await store().shadows.add('one', watch(), [tally()]);
    for (const id of ['one', 'two'])
      expect(await store().shadows.seen(id)).toStrictEqual({ watches: [], tallies: [] });
    await store().shadows.add('two', watch(), [tally()]);
    await store().policies.apply({
      expected: 0,
      at: at(3),
      by: 'ann',
      reason: '',
      objects: [],
      promotes: 'two',
    });
    await propose('three');
    for (const id of ['two', 'three'])
      expect(await store().shadows.seen(id)).toStrictEqual({ watches: [], tallies: [] });
  });
}
