import { expect, test } from 'vitest';
import {
  formatWorld,
  holdingVersion,
  type PolicyWorld,
  readWorld,
} from '../../../../src/domain/policy/index.ts';
import { mesh, peer, policy, workload } from './mesh.ts';

const orders = workload('shop/orders');
const others = [workload('shop/web'), workload('bank/vault')];
const spec = (path: string) => ({
  selector: { matchLabels: { app: 'orders' } },
  rules: [{ to: [{ operation: { paths: [path] } }] }],
});
const world = (...policies: PolicyWorld['policies']): PolicyWorld => mesh([orders, ...others], policies);
const versionIn = (where: PolicyWorld) => holdingVersion(where, orders.id);

const before = world(policy('shop/a', spec('/a')), policy('bank/b', spec('/b')));

test.each([
  ['the same policies, read anew', world(policy('shop/a', spec('/a')), policy('bank/b', spec('/b'))), true],
  ['a world that was written down', readWorld(formatWorld(before), 'w'), true],
  ['another workload’s policy', world(policy('shop/a', spec('/a')), policy('bank/b', spec('/c'))), true],
  ['an edit', world(policy('shop/a', spec('/x')), policy('bank/b', spec('/b'))), false],
  ['one more', world(policy('shop/a', spec('/a')), policy('root/c', { rules: [{}] })), false],
  ['a mode', world(policy('shop/a', spec('/a')), peer('shop/default', 'STRICT')), false],
  ['none', world(), false],
])('%s', (_, after, same) => {
  expect(versionIn(after) === versionIn(before)).toBe(same);
});

test('a workload that is not there has none', () => {
  expect(holdingVersion(before, 'test/shop/nobody')).toBeUndefined();
});

test('which of two PeerAuthentications came first is part of it', () => {
  const both = (first: string, second: string) =>
    world(peer('shop/a', 'STRICT', undefined, {}, first), peer('shop/b', 'DISABLE', undefined, {}, second));
  const [early, late] = ['2030-01-01T00:00:00Z', '2030-01-02T00:00:00Z'];
  expect(versionIn(both(early, late))).not.toBe(versionIn(both(late, early)));
});
