import { describe, expect, test } from 'vitest';
import { composeSnapshot } from '../../../../src/domain/mesh/snapshot.ts';
import { indexMesh, sameView, viewOf } from '../../../../src/domain/mesh/view.ts';
import type { Policy } from '../../../../src/domain/policy/index.ts';
import { policy } from '../policy/decide/policies.ts';
import { content, peerAuthentication, service, settings, workload } from './samples.ts';

const orders = workload('orders');
const web = workload('web');
const deny = (name: string, path: string, rest: Parameters<typeof policy>[2] = {}) =>
  policy('DENY', [{ to: [{ paths: [path] }] }], { name, ...rest });
const holding = (...policies: readonly Policy[]) =>
  content([orders, web], [service('orders', orders)], [...policies]);

/** What holds and what is tried, put together as from one change to the next. */
function tried(live: readonly Policy[], candidate: readonly Policy[] | undefined, before?: Mesh): Mesh {
  const snapshot = composeSnapshot(settings, [holding(...live)], {
    previous: before?.snapshot,
    candidate: candidate && { id: '0123456789ab', contents: [holding(...candidate)] },
  });
  return indexMesh(snapshot, before);
}
type Mesh = ReturnType<typeof indexMesh>;

describe('what is tried beside what holds', () => {
  test('is in the view of a workload for which it decides otherwise, and changes nothing else of it', () => {
    const live = [deny('a', '/a')];
    const alone = tried(live, undefined);
    const both = tried(live, [deny('a', '/b')], alone);
    const view = viewOf(both, orders.id) ?? expect.fail('no view');
    expect(view.shadow).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f]{12}$/),
      policies: [{ rules: [{ to: [{ paths: ['/b'] }] }] }],
    });
    const { shadow: _, ...rest } = view;
    const before = viewOf(alone, orders.id);
    expect(before).toMatchObject(rest);
    expect(view.policies).toBe(before?.policies);
    expect(before && sameView(before, view)).toBe(false);
    expect(both.snapshot.version).not.toBe(alone.snapshot.version);
  });

  test.each([
    ['the same text read again', [deny('a', '/a')], [deny('a', '/a')]],
    ['a dry run', [deny('a', '/a')], [deny('a', '/a'), deny('b', '/b', { dryRun: true })]],
    ['AUDIT', [], [policy('AUDIT', [{}], { name: 'audit' })]],
    ['a mode of mutual TLS', [], [peerAuthentication('STRICT')]],
  ])('is not there where nothing that allows or denies differs: %s', (_, live, candidate) => {
    expect(viewOf(tried(live, candidate), orders.id)?.shadow).toBeUndefined();
  });

  test('is the very same object as long as it says the same', () => {
    const first = tried([deny('a', '/a')], [deny('a', '/b')]);
    const second = tried([deny('a', '/a')], [deny('a', '/b')], first);
    const view = viewOf(first, orders.id);
    expect(viewOf(second, orders.id)?.shadow).toBe(view?.shadow);
    expect(viewOf(second, web.id)?.shadow).toBe(view?.shadow);
  });

  test('bears another name where either side is another, so that no result of one counts for the other', () => {
    const name = (live: readonly Policy[], candidate: readonly Policy[]) =>
      viewOf(tried(live, candidate), orders.id)?.shadow?.id;
    const own = deny('a', '/b');
    const first = name([deny('a', '/a')], [own]);
    // What another source has is on both sides.
    const other = deny('c', '/c');
    expect(name([deny('a', '/a')], [own])).toBe(first);
    expect(
      new Set([first, name([deny('a', '/x')], [own]), name([deny('a', '/a'), other], [own, other])]).size,
    ).toBe(3);
  });

  test('is left out where a proxy could not be told both: what holds stays as it is', () => {
    const large = (name: string) =>
      policy(
        'DENY',
        [{ to: [{ paths: Array.from({ length: 4_000 }, (__, at) => `/${'x'.repeat(2_000)}${at}`) }] }],
        {
          name,
        },
      );
    const live = [large('a')];
    const mesh = tried(live, [large('a'), large('b'), large('c'), large('d')]);
    const view = viewOf(mesh, orders.id);
    expect(mesh.shadows.byWorkload.has(orders.id)).toBe(true);
    expect(view?.shadow).toBeUndefined();
    expect(view?.policies.map(({ meta }) => meta.name)).toEqual(['a']);
  });
});
