import { describe, expect, test } from 'vitest';
import { policiesWeight } from '../../../../src/domain/policy/index.ts';
import { mostPolicyWeight, policyWeight } from '../../../../src/domain/policy/weight.ts';
import { faults, sound } from './read/parts.ts';

const rules = (rule: object) => ({ action: 'DENY', rules: [rule] });
const of = (operation: object) => rules({ to: [{ operation }] });
const by = (source: object) => rules({ from: [{ source }] });
const many = (count: number) => Array.from({ length: count }, (_, n) => `v${n}`);
const mib = 1024 * 1024;

describe('what a policy takes in a proxy', () => {
  test.each([
    {
      what: 'four thousand principals',
      spec: by({ principals: many(4_000).map((name) => `example.org/ns/shop/sa/${name}`) }),
    },
    {
      what: 'four thousand ports',
      spec: of({ ports: Array.from({ length: 4_000 }, (_, n) => String(n + 1)) }),
    },
    {
      what: 'four thousand values of a header',
      spec: rules({ when: [{ key: 'request.headers[x-tenant]', values: many(4_000) }] }),
    },
  ])('$what are taken', ({ spec }) => {
    expect(faults('AuthorizationPolicy', spec)).toBe('');
    expect(policyWeight(sound('AuthorizationPolicy', spec))).toBeLessThan(mib);
  });

  test.each([
    {
      what: 'a principal of a token that can be cut anywhere',
      spec: by({ requestPrincipals: ['/'.repeat(4_000)] }),
    },
    {
      what: 'a condition on one that can be',
      spec: rules({ when: [{ key: 'request.auth.principal', values: ['/'.repeat(4_000)] }] }),
    },
    {
      what: 'a claim whose name is there once more for each value',
      spec: rules({ when: [{ key: `request.auth.claims${'[a]'.repeat(1_000)}`, values: many(4_000) }] }),
    },
    {
      what: 'a header whose name is',
      spec: rules({ when: [{ key: `request.headers[${'x'.repeat(4_000)}]`, values: many(4_000) }] }),
    },
    {
      what: 'a quarter of a million values',
      spec: {
        action: 'DENY',
        rules: Array.from({ length: 62 }, () => ({
          to: [{ operation: { hosts: Array.from({ length: 4_000 }, () => 'a') } }],
        })),
      },
    },
  ])('$what is refused, with a reason', ({ spec }) => {
    expect(JSON.stringify(spec).length).toBeLessThan(2 * mib);
    expect(faults('AuthorizationPolicy', spec)).toMatch(
      /^spec: would take some \d+ bytes in a proxy, of 4194304 at most; match prefixes/,
    );
  });

  test('of several is that of all', () => {
    const policy = sound('AuthorizationPolicy', of({ paths: ['/a'] }));
    const keys = sound('RequestAuthentication', { jwtRules: [{ issuer: 'https://a' }] });
    expect(policiesWeight([policy, keys])).toBe(policyWeight(policy) + policyWeight(keys));
    expect(policyWeight(policy)).toBeLessThan(mostPolicyWeight / 10_000);
  });
});
