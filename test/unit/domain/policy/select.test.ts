import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  indexPolicies,
  mutualTlsModeOf,
  type Policy,
  precedence,
} from '../../../../src/domain/policy/index.ts';
import { policiesOf } from '../../../../src/domain/policy/select.ts';
import { mesh, peer, policy, service, workload } from './mesh.ts';

const web = workload('shop/web', { labels: { app: 'web', tier: 'front' } });
const other = workload('shop/other');
const stranger = workload('away/web');
const inRoot = workload('root/web');
const services = [service('shop/web', web, other), service('away/web', stranger), service('shop/empty')];

function chosen(policies: readonly Policy[], of = web): readonly string[] {
  const snapshot = mesh([web, other, stranger, inRoot], policies, services);
  return policiesOf(indexPolicies(snapshot), of).map(({ meta }) => `${meta.namespace}/${meta.name}`);
}

const by = (matchLabels: object) => ({ selector: { matchLabels } });
const at = (kind: string, name: string, group = '') => ({ targetRefs: [{ kind, name, group }] });

describe('a policy applies', () => {
  it.each<[string, Policy, boolean]>([
    ['to its own namespace, without a selector', policy('shop/p', {}), true],
    ['to no other namespace', policy('away/p', {}), false],
    ['from the root namespace to all', policy('root/p', {}), true],
    ['by its labels', policy('shop/p', by({ app: 'web' })), true],
    ['only where all labels match', policy('shop/p', by({ app: 'web', tier: 'back' })), false],
    ['only where the label is there', policy('shop/p', by({ zone: '' })), false],
    ['from the root namespace by labels, in every namespace', policy('root/p', by({ app: 'web' })), true],
    ['by labels in its own namespace only', policy('away/p', by({ app: 'web' })), false],
    ['with an empty selector to all', policy('shop/p', { selector: {} }), true],
    ['to what stands behind its service', policy('shop/p', at('Service', 'web')), true],
    ['to no other service', policy('shop/p', at('Service', 'empty')), false],
    ['to no service of the same name elsewhere', policy('away/p', at('Service', 'web')), false],
    [
      'from the root namespace to services of the root namespace only',
      policy('root/p', at('Service', 'web')),
      false,
    ],
    [
      'to no sidecar by a gateway',
      policy('shop/p', at('Gateway', 'web', 'gateway.networking.k8s.io')),
      false,
    ],
    [
      'to no sidecar by a class',
      policy('root/p', at('GatewayClass', 'istio-waypoint', 'gateway.networking.k8s.io')),
      false,
    ],
    [
      'RequestAuthentication in the same way',
      policy('shop/p', by({ app: 'web' }), { kind: 'RequestAuthentication' }),
      true,
    ],
    ['RequestAuthentication not elsewhere', policy('away/p', {}, { kind: 'RequestAuthentication' }), false],
    ['PeerAuthentication by labels', peer('shop/p', 'STRICT', 'web'), true],
    [
      'PeerAuthentication of the root namespace with a selector never',
      peer('root/p', 'STRICT', 'web'),
      false,
    ],
  ])('%s', (_, given, expected) => {
    expect(chosen([given])).toEqual(expected ? [`${given.meta.namespace}/p`] : []);
  });

  it('PeerAuthentication with a selector not even to the root namespace’s own workloads', () => {
    expect(chosen([peer('root/p', 'STRICT', 'web')], inRoot)).toEqual([]);
  });

  it('once, to a workload of the root namespace', () => {
    expect(chosen([policy('root/p', {}), peer('root/q', 'STRICT')], inRoot)).toEqual(['root/p', 'root/q']);
  });
});

describe('the order of what applies', () => {
  const old = '2020-01-01T00:00:00Z';
  const young = '2021-01-01T00:00:00Z';

  it.each<[string, readonly Policy[], readonly string[]]>([
    [
      'the root namespace first, for AuthorizationPolicies',
      [policy('shop/a', {}), policy('root/b', {})],
      ['root/b', 'shop/a'],
    ],
    [
      'its own namespace first, for RequestAuthentications',
      [
        policy('root/a', {}, { kind: 'RequestAuthentication' }),
        policy('shop/b', {}, { kind: 'RequestAuthentication' }),
      ],
      ['shop/b', 'root/a'],
    ],
    [
      'older ones first',
      [policy('shop/a', {}, { created: young }), policy('shop/b', {}, { created: old })],
      ['shop/b', 'shop/a'],
    ],
    [
      'names among equals',
      [policy('shop/b', {}, { created: old }), policy('shop/a', {}, { created: old })],
      ['shop/a', 'shop/b'],
    ],
    [
      'what knows no time last',
      [policy('shop/a', {}), policy('shop/b', {}, { created: young })],
      ['shop/b', 'shop/a'],
    ],
    [
      'the workload, the namespace, the mesh',
      [peer('root/a', 'STRICT'), peer('shop/b', 'STRICT'), peer('shop/c', 'STRICT', 'web')],
      ['shop/c', 'shop/b', 'root/a'],
    ],
    [
      'one PeerAuthentication a level: the oldest',
      [peer('shop/a', 'STRICT', 'web', {}, young), peer('shop/b', 'DISABLE', 'web', {}, old)],
      ['shop/b'],
    ],
  ])('%s', (_, policies, expected) => {
    expect(chosen(policies)).toEqual(expected);
    expect(chosen(policies.toReversed())).toEqual(expected);
  });

  it('does not depend on the order in which sources tell them', () => {
    const all = ['root/a', 'root/b', 'shop/a', 'shop/b', 'shop/c'].flatMap((id, n) => [
      policy(id, n % 2 ? {} : by({ app: 'web' }), n % 3 ? { created: n % 2 ? old : young } : {}),
      peer(id, 'STRICT', n % 2 ? 'web' : undefined, {}, n % 3 ? old : young),
    ]);
    const expected = chosen(all);
    fc.assert(
      fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (shuffled) => {
        expect(chosen(shuffled)).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });
});

describe('the mode of mutual TLS', () => {
  const port = (mode: string) => ({ portLevelMtls: { 8080: { mode } } });
  const old = '2020-01-01T00:00:00Z';

  it.each<[string, readonly Policy[], string]>([
    ['nothing said: PERMISSIVE', [], 'PERMISSIVE'],
    ['the mesh', [peer('root/a', 'STRICT')], 'STRICT'],
    ['the namespace before the mesh', [peer('root/a', 'STRICT'), peer('shop/b', 'DISABLE')], 'DISABLE'],
    [
      'the workload before the namespace',
      [peer('shop/a', 'STRICT'), peer('shop/b', 'DISABLE', 'web')],
      'DISABLE',
    ],
    ['the port before the workload', [peer('shop/a', 'STRICT', 'web', port('DISABLE'))], 'DISABLE'],
    [
      'another port does not count',
      [peer('shop/a', 'STRICT', 'web', { portLevelMtls: { 81: { mode: 'DISABLE' } } })],
      'STRICT',
    ],
    ['UNSET of the port: the workload', [peer('shop/a', 'STRICT', 'web', port('UNSET'))], 'STRICT'],
    [
      'UNSET of the port and the workload: the namespace',
      [peer('shop/a', undefined, 'web', port('UNSET')), peer('shop/b', 'STRICT')],
      'STRICT',
    ],
    [
      'UNSET of the workload: the namespace',
      [peer('shop/a', 'UNSET', 'web'), peer('shop/b', 'STRICT')],
      'STRICT',
    ],
    ['UNSET of the namespace: the mesh', [peer('shop/a', 'UNSET'), peer('root/b', 'STRICT')], 'STRICT'],
    ['UNSET of the mesh: PERMISSIVE', [peer('root/a', 'UNSET')], 'PERMISSIVE'],
    ['another workload’s', [peer('shop/a', 'STRICT', 'other')], 'PERMISSIVE'],
    ['another namespace’s', [peer('away/a', 'STRICT')], 'PERMISSIVE'],
    ['a selector in the root namespace is ignored', [peer('root/a', 'STRICT', 'web')], 'PERMISSIVE'],
    [
      'of two of the workload, the older',
      [peer('shop/a', 'DISABLE', 'web'), peer('shop/b', 'STRICT', 'web', {}, old)],
      'STRICT',
    ],
    [
      'of two of the namespace, the older',
      [peer('shop/a', 'DISABLE'), peer('shop/b', 'STRICT', undefined, {}, old)],
      'STRICT',
    ],
    [
      'of two of the mesh, the older',
      [peer('root/a', 'DISABLE'), peer('root/b', 'STRICT', undefined, {}, old)],
      'STRICT',
    ],
    [
      'the older one’s UNSET inherits, the younger does not step in',
      [peer('shop/a', 'DISABLE', 'web'), peer('shop/b', 'UNSET', 'web', {}, old), peer('root/c', 'STRICT')],
      'STRICT',
    ],
    [
      'the younger one’s ports do not count',
      [peer('shop/a', 'STRICT', 'web', port('DISABLE')), peer('shop/b', 'UNSET', 'web', {}, old)],
      'PERMISSIVE',
    ],
  ])('%s', (_, policies, expected) => {
    for (const given of [policies, policies.toReversed()]) {
      const index = indexPolicies(mesh([web], given));
      expect(mutualTlsModeOf(policiesOf(index, web), 8080)).toBe(expected);
    }
  });

  it('the mesh’s holds for the root namespace’s workloads', () => {
    const index = indexPolicies(mesh([inRoot], [peer('root/a', 'STRICT')]));
    expect(mutualTlsModeOf(policiesOf(index, inRoot), 8080)).toBe('STRICT');
  });
});

describe('precedence', () => {
  const old = '2020-01-01T00:00:00Z';
  const young = '2021-01-01T00:00:00Z';

  it.each<[string, readonly Policy[], readonly (readonly string[])[]]>([
    [
      'is nothing where no two meet',
      [
        peer('shop/a', 'STRICT', undefined, {}, young),
        peer('shop/b', 'STRICT', 'web', {}, old),
        peer('root/c', 'STRICT'),
      ],
      [],
    ],
    [
      'tells the older first',
      [peer('shop/a', 'STRICT', 'web', {}, young), peer('shop/b', 'STRICT', 'other', {}, old)],
      [['shop/b', 'shop/a']],
    ],
    [
      'changes when one is made anew',
      [peer('shop/a', 'STRICT', 'web', {}, old), peer('shop/b', 'STRICT', 'other', {}, young)],
      [['shop/a', 'shop/b']],
    ],
    ['is nothing for other kinds', [policy('shop/a', {}), policy('shop/b', {})], []],
  ])('%s', (_, policies, expected) => {
    expect(precedence(policies)).toEqual(expected);
    expect(precedence(policies.toReversed())).toEqual(expected);
  });
});
