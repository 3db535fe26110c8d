import { describe, expect, test } from 'vitest';
import {
  httpAuthorization,
  networkAuthorization,
  recordedShadow,
} from '../../../../src/adapters/envoy/authorization/index.ts';
import type { Policy } from '../../../../src/domain/policy/index.ts';
import { policy } from '../../domain/policy/decide/policies.ts';

const context = {
  trustDomain: 'mesh.example',
  trustDomainAliases: [],
  providers: [],
  providerCluster: () => 'none',
};
const id = '0123456789ab';
const live = policy('DENY', [{ to: [{ paths: ['/live'] }] }], { name: 'live' });

function shadowsOf(layer: 'http' | 'network', policies?: readonly Policy[]) {
  const shadow = policies && { id, policies };
  const filters =
    layer === 'http'
      ? httpAuthorization([live], () => undefined, context, shadow)
      : networkAuthorization([live], context, shadow);
  const names = (name: string) => {
    const filter = filters.find((each) => each.name === name);
    return filter?.kind === 'rbac'
      ? filter.config.shadowRules && Object.keys(filter.config.shadowRules.policies)
      : [];
  };
  return {
    path: names('citadel.path'),
    deny: names('citadel.shadow.deny'),
    allow: names('citadel.shadow.allow'),
  };
}

describe('the rules of what is tried', () => {
  const denied = policy('DENY', [{ to: [{ paths: ['/a'] }] }], { name: 'deny' });
  const allowed = policy('ALLOW', [{ from: [{ serviceAccounts: ['web'] }] }], { name: 'allow' });

  test('each end in one that bears the candidate’s id, and are looked at first to last', () => {
    const { path, deny, allow } = shadowsOf('http', [denied, allowed]);
    expect(path).toEqual([`deny/${id}/ambiguous-path`, `pass/${id}`]);
    expect(deny).toEqual([`deny/${id}/ns[shop]-policy[deny]-rule[0]`, `pass/${id}`]);
    expect(allow).toEqual([`allow/${id}/ns[shop]-policy[allow]-rule[0]`, `none/${id}`]);
    for (const names of [path, deny, allow]) expect(names?.toSorted()).toEqual(names);
  });

  test('allow all that is left without an ALLOW, and nothing with one that has no rule', () => {
    expect(shadowsOf('http', [denied]).allow).toEqual([`allow/${id}`]);
    expect(shadowsOf('http', [policy('ALLOW', [], { name: 'nobody' })]).allow).toEqual([`none/${id}`]);
    expect(shadowsOf('network', []).deny).toEqual([`pass/${id}`]);
  });

  test('are not there where nothing is tried; and a dry run is none of them', () => {
    expect(shadowsOf('http')).toEqual({ path: undefined, deny: undefined, allow: undefined });
    expect(shadowsOf('http', [{ ...denied, dryRun: true }]).deny).toEqual([`pass/${id}`]);
  });

  test('enforce nothing, and leave what is enforced as it is', () => {
    for (const shadow of [undefined, { id, policies: [denied, allowed] }])
      for (const filters of [
        httpAuthorization([live], () => undefined, context, shadow),
        networkAuthorization([live], context, shadow),
      ])
        for (const filter of filters) {
          if (filter.kind !== 'rbac') continue;
          const own = Object.keys(filter.config.rules?.policies ?? {});
          if (filter.name === 'citadel.deny') expect(own).toEqual(['ns[shop]-policy[live]-rule[0]']);
          else if (filter.name !== 'citadel.path') expect(own).toEqual([]);
        }
  });
});

describe('what they leave', () => {
  const fields = (path?: string, deny?: string, allow?: string) =>
    Object.fromEntries(
      Object.entries({ path, deny, allow }).flatMap(([step, name]) =>
        name === undefined ? [] : [[`citadel_shadow_${step}_shadow_effective_policy_id`, name]],
      ),
    );
  const rule = (name: string) => `ns[shop]-policy[${name}]-rule[1]`;
  const by = (name: string) => ({ namespace: 'shop', name, rule: 1 });
  test.each([
    ['nothing', fields(), undefined],
    ['a refusal of what is ambiguous', fields(`deny/${id}/ambiguous-path`), ['denied', 'PATH', undefined]],
    ['nothing after the path', fields(`pass/${id}`), ['unknown', 'PATH', undefined]],
    ['a denial', fields(`pass/${id}`, `deny/${id}/${rule('d')}`, `allow/${id}`), ['denied', 'DENY', by('d')]],
    [
      'no ALLOW that matches',
      fields(`pass/${id}`, `pass/${id}`, `none/${id}`),
      ['denied', 'ALLOW', undefined],
    ],
    ['an ALLOW', fields(undefined, `pass/${id}`, `allow/${id}/${rule('a')}`), ['allowed', 'ALLOW', by('a')]],
    ['no ALLOW at all', fields(undefined, `pass/${id}`, `allow/${id}`), ['allowed', 'ALLOW', undefined]],
    // Filters are updated one after the other.
    ['results of two trials', fields(`pass/${id}`, 'pass/ba9876543210', `none/${id}`), undefined],
    ['another form', fields('pass/x', 'elsewhere', '1'), undefined],
  ])('%s', (_, given, expected) => {
    const read = recordedShadow(given);
    expect(read && [read.outcome, read.step, read.by]).toEqual(expected);
    if (read) expect(read.trial).toBe(id);
  });
});
