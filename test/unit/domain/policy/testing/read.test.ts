import { describe, expect, it } from 'vitest';
import {
  formatPolicies,
  formatPolicyProblem,
  readPolicies,
  readPolicyTests,
} from '../../../../../src/domain/policy/index.ts';

const sound = `apiVersion: citadel.dev/v1
kind: PolicyTest
metadata: {name: t, namespace: shop}
spec:
  policies: [a.yaml]
  workloads:
    - name: orders
  defaults: {from: web, to: orders}
  cases:
    - name: one
      expect: allowed
      by: shop/a[1]
`;

function problems(text: string): readonly string[] {
  const { tests, problems: found } = readPolicyTests(text, 'T');
  expect(found.length === 0).toBe(tests.length > 0);
  return found.map(formatPolicyProblem);
}

describe('readPolicyTests', () => {
  it('fills in what is not written', () => {
    const { tests, problems: found } = readPolicyTests(sound, 'T');
    expect(found).toEqual([]);
    expect(tests).toMatchObject([
      {
        name: 't',
        source: 'T',
        policies: ['a.yaml'],
        cases: [
          {
            name: 'one',
            place: { line: 10, column: 7 },
            expect: 'allowed',
            by: { kind: 'AuthorizationPolicy', namespace: 'shop', name: 'a', rule: 1 },
            calls: [
              {
                from: { kind: 'account', namespace: 'shop', serviceAccount: 'web' },
                to: { namespace: 'shop', name: 'orders', port: undefined },
                method: undefined,
                path: undefined,
                headers: {},
              },
            ],
          },
        ],
      },
    ]);
  });

  it.each<[string, string, string, string]>([
    [
      'an unknown key',
      'by: shop/a[1]',
      'mehtod: GET',
      'T:12:7: spec.cases[0].mehtod: unknown key; did you mean method?',
    ],
    [
      'an unknown expectation',
      'allowed',
      'permitted',
      'T:11:15: spec.cases[0].expect: must be one of allowed, denied, unauthorized, refused',
    ],
    ['no expectation', '      expect: allowed\n', '', 'T:10:7: spec.cases[0].expect: is required'],
    [
      'no decider',
      'shop/a[1]',
      'a',
      'T:12:11: spec.cases[0].by: must be NAMESPACE/NAME[RULE], KIND/NAMESPACE/NAME or nothing',
    ],
    [
      'a decider that lets nobody in',
      'shop/a[1]',
      'PeerAuthentication/shop/a',
      'T:12:11: spec.cases[0].by: a PeerAuthentication lets nobody in; name the AuthorizationPolicy, or nothing',
    ],
    [
      'no caller',
      'from: web, ',
      '',
      'T:10:7: spec.cases[0]: does not say who calls; write from, here or in defaults',
    ],
    [
      'no callee',
      ', to: orders',
      '',
      'T:10:7: spec.cases[0]: does not say who is called; write to, here or in defaults',
    ],
    [
      'no namespace',
      'metadata: {name: t, namespace: shop}',
      'metadata: {name: t}',
      'T:7:7: spec.workloads[0]: is without a namespace; write it here, or in metadata.namespace',
    ],
    [
      'a port that is none',
      'to: orders',
      'to: "orders:0"',
      'T:10:7: spec.cases[0].to: 0 is no port; ports are from 1 to 65535',
    ],
    [
      'a caller that is none',
      'from: web',
      'from: a/b/c',
      'T:10:7: spec.cases[0].from: "a/b/c" names no caller; write NAMESPACE/NAME',
    ],
    [
      'two worlds',
      'workloads:',
      'registry: r\n  workloads:',
      'T:6:13: spec.registry: only one may be there of workloads and registry',
    ],
    [
      'services of nobody',
      'workloads:\n    - name: orders',
      'services: []',
      'T:6:13: spec.services: are of workloads, and there are none here',
    ],
    ['a list of nothing', 'from: web', 'from: []', 'T:8:20: spec.defaults.from: must not be empty'],
    [
      'a caller that is no text',
      'from: web',
      'from: 7',
      'T:8:20: spec.defaults.from: must be text, or a list of texts',
    ],
    [
      'a path without a slash',
      'from: web',
      'from: web, path: a',
      'T:8:31: spec.defaults.path: must begin with / and hold no blanks',
    ],
    [
      'a header that is none',
      'from: web',
      'from: web, headers: {Host: a}',
      'T:8:41: spec.defaults.headers.Host: Host has a field of its own; write method, path or host beside headers',
    ],
    [
      'a token as a header',
      'from: web',
      'from: web, headers: {authorization: a}',
      'T:8:50: spec.defaults.headers.authorization: a token is no header here: nobody could verify it; write its claims in jwt',
    ],
    [
      'an address that is none',
      'from: web',
      'from: web, ip: 10.0.0.0/8',
      'T:8:29: spec.defaults.ip: must be one IPv4 or IPv6 address, as 10.1.2.3',
    ],
    [
      'a token that is none',
      'from: web',
      'from: web, jwt: good',
      'T:8:30: spec.defaults.jwt: must be claims of a token, or the word invalid',
    ],
    [
      'a verdict that is none',
      'from: web',
      'from: web, custom: {ext: yes}',
      'T:8:39: spec.defaults.custom.ext: must be one of allow, deny',
    ],
    ['text that is no YAML', 'metadata: {', 'metadata: {{', 'T:3:'],
  ])('refuses %s, with its place', (_, before, after, expected) => {
    expect(sound).toContain(before);
    expect(problems(sound.replace(before, after))[0]).toContain(expected);
  });

  it('refuses a name that two cases have, and two workloads of one name', () => {
    expect(problems(`${sound}    - {name: one, expect: denied}\n`)).toEqual([
      'T:13:14: spec.cases[1].name: is the name of a case above; give each a name of its own',
    ]);
    expect(problems(sound.replace('- name: orders', '- name: orders\n    - name: orders'))).toEqual([
      'T:8:13: spec.workloads[1].name: is there already',
    ]);
  });

  it('refuses more calls than a thousand in one case', () => {
    const many = JSON.stringify(Array.from({ length: 100 }, (_, index) => `/${index}`));
    const methods = JSON.stringify(Array.from({ length: 11 }, (_, index) => `M${index}`));
    expect(problems(sound.replace('from: web', `from: web, path: ${many}, method: ${methods}`))).toEqual([
      'T:10:7: spec.cases[0]: is more than 1000 calls; write several cases',
    ]);
  });

  it('passes over policies, as readers of policies pass over tests', () => {
    const policy =
      'apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: a, namespace: shop}\nspec: {}\n';
    expect(readPolicyTests(`${policy}---\n${sound}`, 'T')).toMatchObject({
      tests: [{ name: 't' }],
      problems: [],
    });
    expect(readPolicies(`${policy}---\n${sound}`, { source: 'T' })).toMatchObject({
      policies: [{ meta: { name: 'a' } }],
      problems: [],
    });
    expect(formatPolicies(`${policy}---\n${sound}`, 'T').problems).toEqual([]);
  });
});
