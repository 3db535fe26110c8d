import { describe, expect, it } from 'vitest';
import {
  judgePolicy,
  lintPolicies,
  type Policy,
  policyObject,
} from '../../../../../src/domain/policy/index.ts';
import { mesh, peer, policy, ports, workload } from '../mesh.ts';

const registry = mesh([
  workload('shop/orders'),
  workload('shop/cart', { ports: ports([8080, 'http'], [9000, 'tcp']) }),
]);
const proven = [
  'rule-never-matches',
  'covered-rule',
  'value-without-effect',
  'rule-without-effect',
  'policy-without-effect',
  'allow-shadowed-by-deny',
  'effects-not-compared',
];

function found(...policies: readonly Policy[]): readonly string[] {
  return lintPolicies(policies, registry)
    .filter(({ rule }) => proven.includes(rule))
    .map(({ rule, object, path }) => `${rule} ${object.name} ${path}`);
}

const orders = { selector: { matchLabels: { app: 'orders' } } };
const allow = (name: string, ...rules: readonly object[]) => policy(`shop/${name}`, { ...orders, rules });
const deny = (name: string, ...rules: readonly object[]) =>
  policy(`shop/${name}`, { ...orders, action: 'DENY', rules });
const from = (source: object) => ({ from: [{ source }] });
const to = (operation: object) => ({ to: [{ operation }] });
const web = from({ principals: ['example.org/ns/shop/sa/web'] });
const gets = to({ methods: ['GET'] });

describe('what has no effect, proven', () => {
  it.each<[string, readonly Policy[], readonly string[]]>([
    ['rules that all say something', [allow('a', web, gets), deny('d', to({ paths: ['/a'] }))], []],
    [
      'a rule that two others say together',
      [
        allow(
          'a',
          ...['GET', 'HEAD'].map((one) => to({ methods: [one], paths: ['/a/*'] })),
          to({ methods: ['HEAD', 'GET'], paths: ['/a/x'] }),
        ),
      ],
      ['covered-rule a spec.rules[2]'],
    ],
    [
      'a block of which both halves are there',
      [allow('a', from({ ipBlocks: ['10.0.0.0/9', '10.128.0.0/9'] }), from({ ipBlocks: ['10.0.0.0/8'] }))],
      ['covered-rule a spec.rules[1]'],
    ],
    [
      'a rule that contradicts itself across its fields',
      [allow('a', web, from({ principals: ['example.org/ns/ops/sa/cron'], namespaces: ['shop'] }))],
      ['rule-never-matches a spec.rules[1]'],
    ],
    [
      'an ALLOW that a DENY takes whole',
      [allow('a', web, to({ paths: ['/admin/x'] })), deny('d', to({ paths: ['/admin/*'] }))],
      ['allow-shadowed-by-deny a spec.rules[1]'],
    ],
    [
      'a DENY of what no ALLOW lets in',
      [allow('a', gets), deny('d', to({ methods: ['DELETE'] }))],
      ['policy-without-effect d spec'],
    ],
    [
      'of two alike the later one',
      [
        deny('a', to({ paths: ['/a', '/b*'] })),
        allow('x', web),
        deny('b', to({ paths: ['/a'] }), to({ paths: ['/b*'] })),
      ],
      ['covered-rule b spec.rules[0]', 'covered-rule b spec.rules[1]'],
    ],
    ['an ALLOW of everybody, alone', [allow('a', {})], []],
    ['an ALLOW of nobody, beside others', [policy('shop/nobody', {}), allow('a', web)], []],
    [
      'an ALLOW of plaintext under STRICT',
      [peer('shop/p', 'STRICT'), allow('a', web, from({ notPrincipals: ['*'] }))],
      ['rule-without-effect a spec.rules[1]'],
    ],
    [
      'what has an effect on one of several workloads alone',
      [policy('shop/all', { rules: [web, to({ ports: ['9000'] })] })],
      [],
    ],
    [
      'an AUDIT, and a dry run',
      [
        policy('shop/audit', { action: 'AUDIT', rules: [{}] }),
        policy('shop/dry', { action: 'DENY', rules: [{}] }, { annotations: { 'istio.io/dry-run': 'true' } }),
      ],
      [],
    ],
  ])('%s', (_, policies, expected) => {
    expect(found(...policies)).toEqual(expected);
  });

  it('names the DENY', () => {
    const policies = [allow('a', web, to({ paths: ['/admin/x'] })), deny('d', to({ paths: ['/admin/*'] }))];
    const [warning] = lintPolicies(policies, registry).filter(
      ({ rule }) => rule === 'allow-shadowed-by-deny',
    );
    expect(warning?.message).toBe(
      'all that this rule allows is denied by AuthorizationPolicy/shop/d, on every port of shop/orders',
    );
  });

  it('an author who applies is told, and in time: what is too much is not compared, and that is said', () => {
    const few = [allow('a', gets), deny('d', to({ methods: ['DELETE'] }))];
    const judged = (policies: readonly Policy[]) => {
      const [, subject] = policies;
      const snapshot = { ...mesh([workload('shop/orders')], policies), version: 'v' };
      return judgePolicy(subject && policyObject(subject), 'T', {
        settings: snapshot.settings,
        snapshot,
      }).warnings.map(({ rule }) => rule);
    };
    expect(judged(few)).toContain('policy-without-effect');
    const more = Array.from({ length: 3000 }, (_, at) => allow(`x${at}`, to({ paths: [`/x/${at}`] })));
    expect(judged([...few, ...more])).toContain('effects-not-compared');
  });
});
