import { expect, test } from 'vitest';
import { composeSnapshot } from '../../../../src/domain/mesh/snapshot.ts';
import type { PeerAuthentication } from '../../../../src/domain/policy/index.ts';
import { content, peerAuthentication, service, settings, workload } from './samples.ts';

const web = workload('web');
const orders = workload('orders');

test('the same content gives the same version, in whatever order and from however many sources', () => {
  const whole = composeSnapshot(settings, [
    content([web, orders], [service('orders', orders)], [peerAuthentication('STRICT')]),
  ]);
  const split = composeSnapshot(settings, [
    content([orders], [], [peerAuthentication('STRICT')]),
    content([{ ...web, labels: { ...web.labels } }], [service('orders', orders)]),
  ]);
  expect(split.version).toBe(whole.version);
  expect([...split.workloads.keys()]).toEqual([...whole.workloads.keys()]);
});

test.each([
  ['a workload’s label', content([workload('web', { labels: { app: 'other' } }), orders])],
  ['a workload that is gone', content([web])],
  ['a policy', content([web, orders], [], [peerAuthentication('STRICT')])],
  [
    'a port’s mode inside a Map',
    content([web, orders], [], [peerAuthentication('UNSET', { portLevel: new Map([[1, 'STRICT']]) })]),
  ],
])('%s changes the version', (_what, changed) => {
  const before = composeSnapshot(settings, [content([web, orders])]);
  expect(composeSnapshot(settings, [changed]).version).not.toBe(before.version);
});

test('a PeerAuthentication that is made anew, and now comes after another one, changes the version', () => {
  const made = (name: string, created: number) =>
    peerAuthentication(name === 'a' ? 'STRICT' : 'DISABLE', {
      meta: { namespace: 'shop', name, generation: 1, created, origin: { source: 'test' } },
    });
  const version = (...policies: readonly PeerAuthentication[]) =>
    composeSnapshot(settings, [content([web], [], policies)]).version;
  expect(version(made('a', 1), made('b', 2))).not.toBe(version(made('a', 3), made('b', 2)));
  expect(version(made('a', 1))).toBe(version(made('a', 3)));
});

test('where two sources name one object, the first one’s stands', () => {
  const snapshot = composeSnapshot(settings, [
    content([web]),
    content([workload('web', { serviceAccount: 'impostor' })]),
  ]);
  expect(snapshot.workloads.get(web.id)?.serviceAccount).toBe('web');
});

test('what did not change stays the same object', () => {
  const before = composeSnapshot(settings, [content([web, orders])]);
  const after = composeSnapshot(
    settings,
    [content([structuredClone(web), workload('orders', { addresses: ['127.0.0.2'] })])],
    { previous: before },
  );
  expect(after.workloads.get(web.id)).toBe(before.workloads.get(web.id));
  expect(after.workloads.get(orders.id)).not.toBe(before.workloads.get(orders.id));
});
