import { expect, test } from 'vitest';
import type { DecisionRecord, Page, Store } from '../../src/domain/ports/index.ts';
import { at, decisionRecord } from './store-samples.ts';

/** What every DecisionRecordStore does. */
export function decisionRecordContract(
  store: () => Store,
  pages: <T>(find: (pageToken?: string) => Promise<Page<T>>) => Promise<T[][]>,
): void {
  const all = async () => (await store().decisions.find({ limit: 1000 })).items;
  const paths = (records: readonly DecisionRecord[]) => records.map(({ path }) => path);

  test('gives back what was saved, all that is undefined included', async () => {
    const full = decisionRecord({ rules: '0123456789abcdef' });
    const bare = decisionRecord({
      serviceAccount: undefined,
      labels: {},
      port: 0,
      transport: 'plaintext',
      caller: undefined,
      addresses: [],
      method: undefined,
      path: undefined,
      host: undefined,
      serverName: undefined,
      decision: 'denied',
      refusedBy: 'connection',
      policy: undefined,
      rule: undefined,
      sampled: false,
      lacks: ['caller', 'path', 'port'],
    });
    await store().decisions.save([full, bare]);
    expect(await all()).toStrictEqual([bare, full]);
  });

  test('replaces what is counted together, and nothing else', async () => {
    await store().decisions.save([decisionRecord()]);
    const grown = decisionRecord({
      count: 9,
      last: at(50),
      addresses: [],
      lacks: ['address'],
      labels: { app: 'new' },
    });
    const others: Partial<DecisionRecord>[] = [
      { period: at(100) },
      { workload: 'files/shop/other' },
      { port: 81 },
      { transport: 'plaintext' },
      { caller: undefined },
      { method: 'POST' },
      { path: '/b' },
      { host: 'other' },
      { serverName: 'other' },
      { decision: 'denied', refusedBy: 'policies' },
      { decision: 'denied', refusedBy: 'token' },
      { policy: undefined, rule: undefined },
      { rule: 1 },
      { rules: '0123456789abcdef' },
      { sampled: false },
      { lacks: ['host'] },
    ];
    const different = others.map((changes) => decisionRecord(changes));
    await store().decisions.save([grown, ...different]);
    expect((await all()).toReversed()).toStrictEqual([grown, ...different]);
  });

  test('removes a record that has no calls any more', async () => {
    await store().decisions.save([decisionRecord({ path: '/a' }), decisionRecord({ path: '/b' })]);
    await store().decisions.save([decisionRecord({ path: '/a', count: 0 })]);
    expect(paths(await all())).toStrictEqual(['/b']);
  });

  test('finds by workload and time, newest first, page by page', async () => {
    await store().decisions.save(
      ['/1', '/2', '/3', '/4', '/5'].map((path, index) => decisionRecord({ path, last: at(index) })),
    );
    await store().decisions.save([decisionRecord({ workload: 'files/shop/other', path: '/6', last: at(9) })]);
    await store().decisions.save([decisionRecord({ path: '/2', count: 7, last: at(3) })]);
    const found = await pages((pageToken) =>
      store().decisions.find({
        workloads: ['files/shop/orders', 'files/shop/none'],
        since: at(2),
        limit: 3,
        ...(pageToken === undefined ? {} : { pageToken }),
      }),
    );
    expect(found.map(paths)).toStrictEqual([['/5', '/4', '/3'], ['/2']]);
    expect(paths((await store().decisions.find({ since: at(4), limit: 10 })).items)).toStrictEqual([
      '/6',
      '/5',
    ]);
    expect((await store().decisions.find({ workloads: [], limit: 10 })).items).toStrictEqual([]);
  });

  test('refuses a page of another query, and a size that is none', async () => {
    await store().decisions.save(['/1', '/2'].map((path) => decisionRecord({ path })));
    const { nextPageToken = '' } = await store().decisions.find({ limit: 1 });
    await expect(
      store().decisions.find({ limit: 1, since: at(0), pageToken: nextPageToken }),
    ).rejects.toMatchObject({ code: 'InvalidArgument' });
    await expect(store().decisions.find({ limit: 0 })).rejects.toMatchObject({ code: 'InvalidArgument' });
  });

  test('forgets what is old, and of too much the oldest periods, which it tells', async () => {
    await store().decisions.save([
      decisionRecord({ path: '/new', period: at(300), last: at(310), count: 1 }),
      decisionRecord({ path: '/gone', period: at(0), last: at(10), count: 2 }),
      decisionRecord({ path: '/old', period: at(100), last: at(190), count: 4 }),
      decisionRecord({ path: '/older', period: at(100), last: at(120), count: 8 }),
      decisionRecord({ path: '/newer', period: at(200), last: at(205), count: 16 }),
    ]);
    expect(await store().decisions.forgotten()).toBeUndefined();
    expect(await store().decisions.prune(at(20), 4)).toBe(1);
    expect(await store().decisions.forgotten()).toBeUndefined();
    expect(await store().decisions.prune(at(20), 3)).toBe(1);
    expect(await store().decisions.forgotten()).toStrictEqual({ calls: 4, until: at(190) });
    expect(await store().decisions.prune(at(20), 2)).toBe(1);
    expect(await store().decisions.forgotten()).toStrictEqual({ calls: 12, until: at(190) });
    expect(paths(await all())).toStrictEqual(['/newer', '/new']);
  });
}
