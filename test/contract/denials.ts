import { expect, test } from 'vitest';
import type { DenialRecord } from '../../src/domain/denials/index.ts';
import type { DenialQuery, Page, Store } from '../../src/domain/ports/index.ts';
import { at } from './store-samples.ts';

const limits = { inAll: 6, perWorkload: 4, perCaller: 2 };
const web = 'spiffe://example.org/ns/shop/sa/web';

function denial(
  id: string,
  entry: Partial<DenialRecord['entry']> = {},
  rest: Partial<Omit<DenialRecord, 'entry'>> = {},
): DenialRecord {
  return {
    serviceAccount: 'orders',
    policiesVersion: 'abc',
    decidedBy: { rules: '0123456789abcdef', revision: undefined },
    told: at(1),
    ...rest,
    entry: {
      workload: 'files/shop/orders-1',
      port: 8080,
      transport: 'mtls',
      callerId: web,
      callerAddress: '10.0.0.7',
      method: 'GET',
      path: '/a',
      host: 'orders.shop',
      serverName: undefined,
      decision: 'denied',
      unproved: false,
      policy: 'shop/no',
      rule: 2,
      reason: 'rbac_access_denied_matched_policy[x]',
      at: at(0),
      sampled: false,
      first: false,
      denial: { id, step: 'DENY', remoteAddress: undefined, calleeAddress: '10.0.0.1', inexact: ['path'] },
      ...entry,
    },
  };
}

/** A connection of somebody without a certificate, of whom nothing else is known. */
const unknown = (id: string, callerAddress: string, workload = 'files/shop/orders-1') =>
  denial(
    id,
    {
      workload,
      transport: 'plaintext',
      callerId: undefined,
      callerAddress,
      method: undefined,
      path: undefined,
      host: undefined,
      policy: undefined,
      rule: undefined,
      reason: undefined,
    },
    { serviceAccount: undefined, policiesVersion: undefined, decidedBy: undefined },
  );

/** What the part of a Store does that keeps denials. */
export function denialContract(
  store: () => Store,
  pages: <T>(find: (pageToken?: string) => Promise<Page<T>>) => Promise<T[][]>,
): void {
  const save = (...records: readonly DenialRecord[]) => store().denials.save(records, limits);
  const ids = (records: readonly DenialRecord[]) => records.map(({ entry }) => entry.denial.id);
  const found = async (query: Omit<DenialQuery, 'limit'> = {}) =>
    ids((await store().denials.find({ limit: 100, ...query })).items);

  test('gives back what was denied, and of one name the first', async () => {
    await save(denial('a'), unknown('b', '10.0.0.8'));
    await save(denial('a', { path: '/other' }));
    expect(await store().denials.get('a')).toStrictEqual(denial('a'));
    expect(await store().denials.get('b')).toStrictEqual(unknown('b', '10.0.0.8'));
    expect(await store().denials.get('c')).toBeUndefined();
  });

  test('finds by callee, caller and time, newest first', async () => {
    await save(
      denial('a'),
      denial(
        'b',
        { workload: 'files/shop/cart-1', callerId: 'spiffe://example.org/ns/shop/sa/cron' },
        { serviceAccount: 'cart' },
      ),
      denial('c', { workload: 'other/shop/orders-1' }, { told: at(9) }),
      unknown('d', '10.0.0.8'),
    );
    expect(await found()).toStrictEqual(['d', 'c', 'b', 'a']);
    expect(await found({ to: 'files/shop/orders-1' })).toStrictEqual(['d', 'a']);
    expect(await found({ to: 'shop/orders-1' })).toStrictEqual(['d', 'c', 'a']);
    expect(await found({ to: 'shop/orders' })).toStrictEqual(['c', 'a']);
    expect(await found({ to: 'shop/none' })).toStrictEqual([]);
    expect(await found({ from: web })).toStrictEqual(['c', 'a']);
    expect(await found({ from: 'shop/cron' })).toStrictEqual(['b']);
    expect(await found({ from: 'op/cron' })).toStrictEqual([]);
    expect(await found({ from: '10.0.0.8' })).toStrictEqual(['d']);
    expect(await found({ from: '' })).toStrictEqual(['d']);
    expect(await found({ since: at(9) })).toStrictEqual(['c']);
    const paged = await pages((pageToken) =>
      store().denials.find({ limit: 3, ...(pageToken === undefined ? {} : { pageToken }) }),
    );
    expect(paged.map(ids)).toStrictEqual([['d', 'c', 'b'], ['a']]);
  });

  test('refuses a page of another query', async () => {
    await save(denial('a'), denial('b'));
    const { nextPageToken = '' } = await store().denials.find({ limit: 1 });
    await expect(
      store().denials.find({ limit: 1, from: web, pageToken: nextPageToken }),
    ).rejects.toMatchObject({ code: 'InvalidArgument' });
  });

  test('keeps the last of each caller, of each workload and of all; the unproved push out their like alone', async () => {
    await save(...['a', 'b', 'c'].map((id) => denial(id)));
    expect(await found()).toStrictEqual(['c', 'b']);
    await save(...['1', '2', '3', '4', '5'].map((each) => unknown(`d${each}`, `10.0.1.${each}`)));
    expect(await found()).toStrictEqual(['d5', 'd4', 'd3', 'd2', 'c', 'b']);
    await save(...['1', '2', '3'].map((each) => unknown(`e${each}`, '10.0.0.1', `files/shop/${each}`)));
    expect(await found()).toStrictEqual(['e3', 'e2', 'e1', 'd5', 'd4', 'd3', 'c', 'b']);
  });

  test('forgets what is old', async () => {
    await save(denial('a'), denial('b', {}, { told: at(2) }));
    expect(await store().denials.prune(at(2))).toBe(1);
    expect(await found()).toStrictEqual(['b']);
  });
}
