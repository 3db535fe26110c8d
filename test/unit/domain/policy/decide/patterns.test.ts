import { describe, expect, test } from 'vitest';
import { decide, type PolicyRequest } from '../../../../../src/domain/policy/index.ts';
import { faults } from '../read/parts.ts';
import { context, policy, type RuleText, request } from './policies.ts';

/** "Any string field in the rule supports Exact, Prefix, Suffix and Presence match" (Istio, Rule). */
interface Field {
  readonly name: string;
  /** What the request has. */
  readonly value: string;
  readonly rule: (value: string) => RuleText;
}

const asked = request(
  { method: 'PUT', path: '/a/b', host: 'cart.shop', headers: { 'x-tier': ['golden'] } },
  {
    sni: 'cart.shop',
    jwt: {
      iss: 'iss.example',
      sub: 'ann',
      aud: 'orders',
      azp: 'client',
      groups: ['staff'],
      a: { b: 'deep' },
    },
    metadata: { 'envoy.filters.a': { tier: 'silver', groups: ['staff'] } },
  },
);
/** The same without anything that a request can lack. */
const bare: PolicyRequest = {
  ...request(),
  sourcePrincipal: undefined,
};

const source = (name: string, value: string): Field => ({
  name,
  value,
  rule: (given) => ({ from: [{ [name]: [given] }] }),
});
const operation = (name: string, value: string): Field => ({
  name,
  value,
  rule: (given) => ({ to: [{ [name]: [given] }] }),
});
const condition = (name: string, value: string, write = (given: string) => given): Field => ({
  name,
  value,
  rule: (given) => ({ when: [{ key: name, values: [write(given)] }] }),
});

const optional: readonly Field[] = [
  source('principals', 'mesh.example/ns/shop/sa/front'),
  source('requestPrincipals', 'iss.example/ann'),
  source('namespaces', 'shop'),
  source('trustDomains', 'mesh.example'),
  condition('source.principal', 'mesh.example/ns/shop/sa/front'),
  condition('source.namespace', 'shop'),
  condition('source.trustDomain', 'mesh.example'),
  condition('request.auth.principal', 'iss.example/ann'),
  condition('request.auth.audiences', 'orders'),
  condition('request.auth.presenter', 'client'),
  condition('request.auth.claims[iss]', 'iss.example'),
  condition('request.auth.claims[groups]', 'staff'),
  condition('request.auth.claims[a][b]', 'deep'),
  condition('request.headers[X-Tier]', 'golden'),
  condition('connection.sni', 'cart.shop'),
  condition('experimental.envoy.filters.a[tier]', 'silver'),
  condition('experimental.envoy.filters.a[groups]', 'staff', (given) => `[${given}]`),
];
const always: readonly Field[] = [
  operation('hosts', 'cart.shop'),
  operation('methods', 'PUT'),
  operation('paths', '/a/b'),
];

const matches = ({ rule }: Field, value: string, given: PolicyRequest) =>
  decide([policy('ALLOW', [rule(value)])], given, context()).verdict === 'allow';

describe.each([...optional, ...always])('$name', (field) => {
  const { value } = field;
  test.each<[string, string, boolean]>([
    ['exact', value, true],
    ['exact, and nothing behind it', value.slice(0, -1), false],
    ['exact, and nothing in front of it', value.slice(1), false],
    ['exact, in its letters', `${value}x`, false],
    ['prefix', `${value.slice(0, 2)}*`, true],
    ['prefix of all of it', `${value}*`, true],
    ['prefix of something else', 'zz*', false],
    ['suffix', `*${value.slice(-2)}`, true],
    ['suffix of all of it', `*${value}`, true],
    ['suffix of something else', '*zz', false],
    ['presence', '*', true],
  ])('%s', (_name, pattern, expected) => {
    expect(matches(field, pattern, asked)).toBe(expected);
  });
});

test.each(optional)('$name is not present where it is missing', (field) => {
  expect(matches(field, '*', bare)).toBe(false);
});

/** Addresses, ports and accounts are named whole. */
const whole = {
  ...Object.fromEntries(
    [
      'ipBlocks',
      'notIpBlocks',
      'remoteIpBlocks',
      'notRemoteIpBlocks',
      'serviceAccounts',
      'notServiceAccounts',
    ].map((name) => [name, (value: string) => ({ from: [{ source: { [name]: [value] } }] })]),
  ),
  ...Object.fromEntries(
    ['ports', 'notPorts'].map((name) => [
      name,
      (value: string) => ({ to: [{ operation: { [name]: [value] } }] }),
    ]),
  ),
  ...Object.fromEntries(
    ['source.ip', 'remote.ip', 'destination.ip', 'destination.port', 'source.serviceAccount'].map((key) => [
      key,
      (value: string) => ({ when: [{ key, values: [value] }] }),
    ]),
  ),
};

describe.each(Object.entries(whole))('%s knows no patterns', (name, rule) => {
  const some = /ip/i.test(name) ? '10.1' : /port/i.test(name) ? '80' : 'web';
  test.each([`${some}*`, `*${some}`, '*'])('%s', (value) => {
    expect(faults('AuthorizationPolicy', { rules: [rule(value)] })).toMatch(/is no |no wildcards/);
  });
});
