import { describe, expect, test } from 'vitest';
import {
  httpAuthorization,
  networkAuthorization,
  recordedDecision,
} from '../../../../src/adapters/envoy/authorization/index.ts';
import { decisionMarker } from '../../../../src/adapters/envoy/index.ts';
import type { AuthorizationProvider } from '../../../../src/domain/mesh/index.ts';
import type { Policy } from '../../../../src/domain/policy/index.ts';
import { policy } from '../../domain/policy/decide/policies.ts';

const provider: AuthorizationProvider = {
  name: 'asker',
  kind: 'grpc',
  service: 'auth/asker',
  port: 9000,
  timeout: 1500,
  failOpen: false,
  pathPrefix: '',
  includeHeaders: ['X-Token'],
  bodyBytes: 0,
};
const context = {
  trustDomain: 'mesh.example',
  trustDomainAliases: [],
  providers: [provider, { ...provider, name: 'alpha', kind: 'http' as const }],
  providerCluster: ({ name }: AuthorizationProvider) => `to-${name}`,
};
const http = (...policies: Policy[]) => httpAuthorization(policies, () => undefined, context);
const network = (...policies: Policy[]) => networkAuthorization(policies, context);
const rules = (filters: ReturnType<typeof http | typeof network>, name: string) => {
  const found = filters.find((filter) => filter.name === name);
  if (found?.kind !== 'rbac') throw new Error(`${name} is no RBAC filter`);
  return found.config;
};

describe('the filters', () => {
  const names = [
    'citadel.path',
    'citadel.custom_unavailable',
    'citadel.custom.alpha',
    'citadel.ext_authz.alpha',
    'citadel.custom.asker',
    'citadel.ext_authz.asker',
    'citadel.jwt',
    'citadel.shadow.deny',
    'citadel.shadow.allow',
    'citadel.audit',
    'citadel.deny',
    'citadel.allow',
  ];
  test('are the same whatever the policies say', () => {
    expect(http().map(({ name }) => name)).toEqual(names);
    expect(http(policy('DENY', [{}]), policy('CUSTOM', [])).map(({ name }) => name)).toEqual(names);
    expect(network(policy('DENY', [{}])).map(({ name }) => name)).toEqual(network().map(({ name }) => name));
  });

  test.each(['http', 'network'] as const)('tell by which rules they decide, %s', (layer) => {
    const filters = (...policies: Policy[]) => (layer === 'http' ? http(...policies) : network(...policies));
    const marksOf = decisionMarker(context);
    const given = [policy('DENY', [{}]), policy('ALLOW', [{}])];
    const left = ['deny', 'allow'].map((name) => {
      const config = rules(filters(...given), `citadel.${name}`);
      const prefix = 'rulesStatPrefix' in config ? config.rulesStatPrefix : config.shadowRulesStatPrefix;
      return `${prefix}${layer === 'http' ? 'enforced' : 'shadow'}_engine_result`;
    });
    const fields = Object.fromEntries(left.map((key) => [key, 'allowed']));
    const { marks } = recordedDecision(fields, false, []);
    const { deny, allow } = marksOf(given, layer);
    expect(marks).toEqual({ deny, allow });
    const named = { ...fields, citadel_deny_enforced_effective_policy_id: 'ns[a]-policy[b]-rule[0]' };
    expect(recordedDecision(named, true, []).marks).toEqual({ deny, allow });
    expect(deny).toMatch(/^[0-9a-f]{12}$/);
    expect(marksOf([policy('DENY', [])], layer).deny).not.toBe(deny);
    expect(marksOf([], layer)).toEqual({ layer, path: undefined, deny: undefined, allow: undefined });
  });

  test('are read without a mark too, which no rules have', () => {
    const id = 'citadel_deny_enforced_effective_policy_id';
    const { by, marks } = recordedDecision({ [id]: 'ns[shop]-policy[no]-rule[0]' }, true, []);
    expect(by).toMatchObject({ name: 'no' });
    expect(marks).toEqual({ deny: '' });
  });

  test('say nothing without policies', () => {
    expect(rules(http(), 'citadel.allow').rules).toBeUndefined();
    expect(rules(network(), 'citadel.allow').rules).toBeUndefined();
  });

  test('an ALLOW without rules is there, and matches nothing', () => {
    expect(rules(http(policy('ALLOW', [])), 'citadel.allow').rules).toMatchObject({ policies: {} });
  });

  test('dry runs are shadow rules under a prefix of their own', () => {
    const config = rules(http(policy('DENY', [{}], { dryRun: true })), 'citadel.deny');
    expect(config.rules).toBeUndefined();
    expect(Object.keys(config.shadowRules?.policies ?? {})).toEqual(['ns[shop]-policy[p]-rule[0]']);
    expect(config).toHaveProperty('shadowRulesStatPrefix', 'citadel_dry_run_deny_');
  });

  test('of connections an HTTP provider cannot be asked: what it should decide is refused', () => {
    const custom = policy('CUSTOM', [{}], { provider: 'alpha' });
    expect(
      Object.keys(rules(network(custom), 'citadel.custom_unavailable').rules?.policies ?? {}),
    ).toHaveLength(1);
    expect(rules(http(custom), 'citadel.custom_unavailable').rules).toBeUndefined();
  });

  test('an authorizer that cannot be asked refuses, unless its operator says otherwise', () => {
    const config = (failOpen: boolean) =>
      httpAuthorization([], () => undefined, { ...context, providers: [{ ...provider, failOpen }] }).find(
        ({ kind }) => kind === 'ext_authz',
      )?.config;
    expect(config(false)).toMatchObject({ failureModeAllow: false });
    expect(config(true)).toMatchObject({ failureModeAllow: true });
    expect(config(false)).toMatchObject({
      services: { value: { timeout: { seconds: 1n, nanos: 500_000_000 } } },
    });
  });

  test('a port that is known is not asked of the connection', () => {
    const named = policy('DENY', [{ to: [{ ports: ['80'] }] }]);
    const permission = (port: number) =>
      rules(
        httpAuthorization([named], () => undefined, { ...context, port }),
        'citadel.deny',
      ).rules?.policies['ns[shop]-policy[p]-rule[0]']?.permissions[0]?.rule;
    expect(permission(80)).toEqual({ $case: 'any', value: true });
    expect(permission(81)).toMatchObject({ $case: 'notRule' });
  });
});

describe('what an access log entry says', () => {
  const id = 'ns[shop]-policy[p]-rule[3]';
  const by = { namespace: 'shop', name: 'p', rule: 3 };
  const key = (step: string, mode = 'enforced') => `citadel_${step}_${mode}_effective_policy_id`;
  test.each([
    ['a DENY', { [key('deny')]: id }, true, { step: 'DENY', by }],
    ['a DENY of a connection', { [key('deny', 'shadow')]: id }, true, { step: 'DENY', by }],
    ['an ALLOW', { [key('allow')]: id }, false, { step: 'ALLOW', by }],
    ['no ALLOW', { citadel_allow_enforced_engine_result: 'denied' }, true, { step: 'ALLOW', by: undefined }],
    [
      'no ALLOW, after a CUSTOM that granted a connection',
      { [key('custom_asker', 'shadow')]: id, citadel_allow_shadow_engine_result: 'denied' },
      true,
      { step: 'ALLOW', by: undefined },
    ],
    ['a CUSTOM', { [key('custom_asker', 'shadow')]: id }, true, { step: 'CUSTOM', by }],
    [
      'a CUSTOM that granted',
      { [key('custom_asker', 'shadow')]: id },
      false,
      { step: 'default', by: undefined },
    ],
    ['a path', { [key('path')]: 'path-parameters' }, true, { step: 'PATH' }],
    ['AUDIT', { [key('audit')]: id }, false, { step: 'default', audit: by }],
    ['a dry run', { [key('dry_run_deny', 'shadow')]: id }, false, { dryRun: [{ action: 'DENY', by }] }],
    ['what is no identifier', { [key('deny')]: 'x' }, false, { step: 'default' }],
  ])('%s', (_name, fields, refused, expected) => {
    expect(recordedDecision(fields, refused, ['asker'])).toMatchObject(expected);
  });
});
