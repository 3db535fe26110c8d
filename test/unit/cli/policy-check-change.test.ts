import { describe, expect, it } from 'vitest';
import { type Against, changeOf, removalsOf } from '../../../src/cli/policy-check/change.ts';
import { compareWorlds, type Policy } from '../../../src/domain/policy/index.ts';
import { mesh, policy, workload } from '../domain/policy/mesh.ts';

const orders = workload('shop/orders');
const rules = (method: string) => [{ to: [{ operation: { methods: [method] } }] }];
const allow = policy('shop/allow', { rules: rules('GET') });
const wider = policy('shop/allow', { rules: rules('*') });
const deny = policy('shop/deny', { action: 'DENY', rules: rules('PUT') });
const again = policy('shop/again', { action: 'DENY', rules: rules('PUT') });
const other = policy('bank/deny', { action: 'DENY', rules: rules('PUT') });

const names = (policies: readonly Policy[]) => policies.map(({ meta }) => `${meta.namespace}/${meta.name}`);
const live = (removing: Extract<Against, { kind: 'live' }>['removing']): Against => ({
  kind: 'live',
  removing,
});

describe('changeOf', () => {
  const world = mesh([orders], [allow, deny, other]);
  it.each<[string, Against, { removed: string[]; after: string[]; staying: number; drifted: string[] }]>([
    [
      'live, and nothing goes',
      live({ kind: 'nothing' }),
      { removed: [], after: ['shop/deny', 'bank/deny', 'shop/allow'], staying: 2, drifted: [] },
    ],
    [
      'live, and what the change deleted goes',
      live({ kind: 'deleted', base: [allow, deny] }),
      { removed: ['shop/deny'], after: ['bank/deny', 'shop/allow'], staying: 0, drifted: [] },
    ],
    [
      'live that is other than the change had it',
      live({ kind: 'deleted', base: [wider, again] }),
      {
        removed: [],
        after: ['shop/deny', 'bank/deny', 'shop/allow'],
        staying: 0,
        drifted: ['AuthorizationPolicy/shop/allow', 'AuthorizationPolicy/shop/again'],
      },
    ],
    [
      'live, and all else goes',
      live({ kind: 'others', namespaces: undefined }),
      { removed: ['shop/deny', 'bank/deny'], after: ['shop/allow'], staying: 0, drifted: [] },
    ],
    [
      'live, and all else of a namespace goes',
      live({ kind: 'others', namespaces: ['shop'] }),
      { removed: ['shop/deny'], after: ['bank/deny', 'shop/allow'], staying: 0, drifted: [] },
    ],
    [
      'other files, and what these have alone goes',
      { kind: 'files', policies: [again, allow] },
      {
        removed: ['shop/again'],
        after: ['shop/deny', 'bank/deny', 'shop/allow'],
        staying: 0,
        drifted: [],
      },
    ],
  ])('against %s', (_, against, expected) => {
    const { removed, after, staying, drifted } = changeOf(world, [wider], against);
    expect({
      removed: names(removed),
      after: names(after.policies),
      staying: staying.length,
      drifted,
    }).toEqual(expected);
    expect(after.policies).toContain(wider);
    expect(after.policies).not.toContain(allow);
  });
});

describe('removalsOf', () => {
  it('says of each what hangs on it alone, with all else as it will be', () => {
    const removals = (policies: readonly Policy[], left: readonly Policy[]) => {
      const change = changeOf(
        mesh([orders], policies),
        left,
        live({ kind: 'others', namespaces: undefined }),
      );
      return removalsOf(change, compareWorlds).map(({ policy: { meta }, effect }) => [
        meta.name,
        effect?.outcome,
        effect?.differences.map(({ becomes }) => becomes),
      ]);
    };
    expect(removals([wider, deny], [wider])).toEqual([['deny', 'different', ['allowed']]]);
    // Either of the two would be enough: each would be missed.
    expect(removals([wider, deny, again], [wider])).toEqual([
      ['deny', 'different', ['allowed']],
      ['again', 'different', ['allowed']],
    ]);
    // Whatever it denies no ALLOW lets in anyway.
    expect(removals([allow, deny], [allow])).toEqual([['deny', 'same', []]]);
  });

  it('asks of some of many', () => {
    const many = Array.from({ length: 12 }, (_, at) =>
      policy(`shop/deny-${at}`, { action: 'DENY', rules: rules('PUT') }),
    );
    const change = changeOf(mesh([orders], many), [allow], live({ kind: 'others', namespaces: undefined }));
    const asked = removalsOf(change, compareWorlds).filter(({ effect }) => effect !== undefined);
    expect(asked).toHaveLength(10);
  });
});
