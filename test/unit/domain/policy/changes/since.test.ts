import { describe, expect, it } from 'vitest';
import { changedObjects } from '../../../../../src/domain/policy/index.ts';

const key = (name: string) => ({ kind: 'AuthorizationPolicy', namespace: 'shop', name });
const kept = (name: string, text: string, revision = 1) => ({ ...key(name), text, hash: text, revision });
const change = (revision: number, ...names: readonly string[]) => ({
  revision,
  at: new Date(revision),
  by: `operator:${revision}`,
  reason: '',
  objects: names.map(key),
});

describe('what others changed', () => {
  it('is each object that says something else now, with all who touched it, newest first', () => {
    const before = [kept('a', 'one'), kept('b', 'one'), kept('gone', 'one')];
    const after = [kept('a', 'three'), kept('b', 'one'), kept('new', 'one')];
    const changes = [change(4, 'a', 'gone'), change(3, 'b', 'new'), change(2, 'b', 'a')];
    expect(
      changedObjects(before, after, changes).map((each) => [
        each.key.name,
        each.before,
        each.after,
        each.by.map(({ revision }) => revision),
      ]),
    ).toEqual([
      ['a', 'one', 'three', [4, 2]],
      ['gone', 'one', undefined, [4]],
      ['new', undefined, 'one', [3]],
    ]);
  });

  it('is nothing where nobody touched anything', () => {
    expect(changedObjects([kept('a', 'one')], [kept('a', 'one')], [])).toEqual([]);
  });
});
