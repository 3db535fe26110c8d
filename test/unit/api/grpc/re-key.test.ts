import { expect, test } from 'vitest';
import { ReKeyOrders } from '../../../../src/api/grpc/sync/re-key.ts';

test('a fleet is told in turn, each once; who has gone is not', async () => {
  const delays: number[] = [];
  const superseded = new Set<string>();
  let changed = () => {};
  const orders = new ReKeyOrders(
    {
      isSuperseded: (issuer) => superseded.has(issuer),
      onSuperseded: (listener) => {
        const before = changed;
        changed = () => {
          before();
          listener();
        };
        return () => {};
      },
    },
    {
      now: () => new Date(0),
      sleep: (milliseconds, signal) => {
        delays.push(milliseconds);
        return Promise.resolve().then(() => signal?.throwIfAborted());
      },
    },
  );
  const told: string[] = [];
  const stops = ['a', 'b', 'c'].map((name) => orders.watch('old', () => told.push(name)));
  orders.watch('other', () => told.push('other'));
  expect(delays).toEqual([]);
  superseded.add('old');
  changed();
  changed();
  stops[1]?.();
  await new Promise(setImmediate);
  expect(told).toEqual(['a', 'c']);
  expect(delays).toEqual([0, 5, 10]);
});
